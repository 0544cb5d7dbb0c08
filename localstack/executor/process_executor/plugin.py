"""Entry point. LocalStack resolves it before it is loaded itself, so it must import little."""

from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class ProcessRuntimeExecutorPlugin(RuntimeExecutorPlugin):
    name = "process"

    def load(self, *args, **kwargs):
        from process_executor.executor import ProcessRuntimeExecutor

        return ProcessRuntimeExecutor
