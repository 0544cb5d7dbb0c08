"""Runs Lambda functions for LocalStack without Docker.

Runs the unzipped function's ``bootstrap`` (provided.al2 / provided.al2023) as a child process
against a Lambda Runtime API server that lives in the LocalStack process.

Emulated: init phase (init error, exit during init, init timeout), next/response/error, the function
Timeout (process is killed, ``Sandbox.Timedout`` reported), runtime exit during an invocation
(``Runtime.ExitError``), respawn of the runtime on the next invocation, freezing of the process
between invocations (SIGSTOP/SIGCONT), 6 MB response limit, START/END/REPORT log lines.
Not emulated: memory limit, CPU share, read-only /var/task, private /tmp (TMPDIR is private), layers,
extensions, container images, the sandbox user, managed runtimes.
"""

from __future__ import annotations

import json
import logging
import os
import select
import shutil
import signal
import socketserver
import subprocess
import tempfile
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from localstack import config
from localstack.aws.api.lambda_ import PackageType
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import (
    LambdaRuntimeException,
    RuntimeExecutor,
)

LOG = logging.getLogger(__name__)

HOST = "127.0.0.1"
API = "/2018-06-01/runtime"
MAX_RESPONSE_BYTES = 6 * 1024 * 1024
INIT_TIMEOUT_SEC = float(os.environ.get("LAMBDA_PROCESS_INIT_TIMEOUT", "10"))
FREEZE = os.environ.get("LAMBDA_PROCESS_FREEZE", "1") not in ("0", "false")
# host variables a function may see; everything else of the LocalStack environment is hidden
PASS_ENV = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def _error(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()


class _Invocation:
    def __init__(self, request_id: str, arn: str, trace_id: str, payload: bytes, timeout: float):
        self.request_id = request_id
        self.arn = arn
        self.trace_id = trace_id
        self.payload = payload
        self.timeout = timeout
        # set to (payload, is_error)
        self.result: Future[tuple[bytes, bool]] = Future()
        self.started = time.monotonic()


class _RuntimeApiHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one write per response, else Nagle + delayed ACK cost 40 ms

    server: _RuntimeApiServer

    def log_message(self, *args):
        pass

    def _read_body(self) -> bytes:
        # aws-lambda-go posts responses chunked, with a trailer
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            parts = []
            while True:
                size = int(self.rfile.readline().split(b";")[0].strip() or b"0", 16)
                if size == 0:
                    while self.rfile.readline().strip():
                        pass
                    return b"".join(parts)
                parts.append(self.rfile.read(size))
                self.rfile.readline()
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _send(self, status: int, body: bytes = b'{"status":"OK"}', headers: dict | None = None):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def do_GET(self):
        if self.path != f"{API}/invocation/next":
            return self._send(404, b"{}")
        inv = self.server.executor._next()
        if inv is None:  # runtime went away or is being stopped
            self.close_connection = True
            return
        self._send(
            200,
            inv.payload,
            {
                "Lambda-Runtime-Aws-Request-Id": inv.request_id,
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + inv.timeout) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": inv.arn,
                "Lambda-Runtime-Trace-Id": inv.trace_id,
            },
        )

    def do_POST(self):
        body = self._read_body()
        executor = self.server.executor
        if self.path == f"{API}/init/error":
            executor._init_error(body)
            return self._send(202)
        parts = self.path.removeprefix(f"{API}/invocation/").split("/")
        if len(parts) != 2 or parts[1] not in ("response", "error"):
            return self._send(404, b"{}")
        is_error = parts[1] == "error"
        if not is_error and len(body) > MAX_RESPONSE_BYTES:
            body, is_error = (
                _error(
                    "Function.ResponseSizeTooLarge",
                    f"Response payload size ({len(body)} bytes) exceeded maximum allowed payload"
                    f" size ({MAX_RESPONSE_BYTES} bytes).",
                ),
                True,
            )
            executor._finish(parts[0], body, is_error)
            return self._send(413, body)
        if not executor._finish(parts[0], body, is_error):
            return self._send(400, _error("InvalidRequestID", "Invalid request ID"))
        self._send(202)


class _RuntimeApiServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 16

    def __init__(self, executor: ProcessRuntimeExecutor):
        super().__init__((HOST, 0), _RuntimeApiHandler)
        self.executor = executor

    def server_bind(self):  # without the reverse DNS look-up of HTTPServer.server_bind
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def close(self):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        LOG.debug("runtime API connection broke", exc_info=True)


class _Output:
    """Collects stdout+stderr of one runtime process. ``drain`` makes log delivery deterministic: what the
    function wrote before it posted its response is in the pipe by then."""

    def __init__(self, fd: int):
        self.fd = fd
        os.set_blocking(fd, False)
        self.lock = threading.Lock()
        self.buf = bytearray()
        self.closed = False
        threading.Thread(target=self._pump, name="lambda-process-logs", daemon=True).start()

    def _pump(self):
        while not self.closed:
            try:
                select.select([self.fd], [], [], 5)
            except (OSError, ValueError):
                return
            self.drain()

    def drain(self):
        with self.lock:
            while not self.closed:
                try:
                    data = os.read(self.fd, 65536)
                except BlockingIOError:
                    return
                except OSError:
                    data = b""
                if not data:
                    self.closed = True
                    os.close(self.fd)
                    return
                self.buf += data

    def take(self) -> str:
        self.drain()
        with self.lock:
            text = self.buf.decode("utf-8", "replace")
            self.buf.clear()
            return text


class ProcessRuntimeExecutor(RuntimeExecutor):
    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id=id, function_version=function_version)
        self.env_vars: dict[str, str] = {}
        self.server: _RuntimeApiServer | None = None
        self.process: subprocess.Popen | None = None
        self.output: _Output | None = None
        self.tmp: str | None = None
        self.cond = threading.Condition()
        self.pending: _Invocation | None = None  # waiting for the runtime's next call
        self.current: _Invocation | None = None  # handed to the runtime
        self.ready: Future[None] = Future()  # init phase of the running process
        self.stopped = False
        self.all_logs: list[str] = []
        self.init_ms = 0.0

    @classmethod
    def validate_environment(cls) -> bool:
        return True

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        cfg = function_version.config
        if cfg.package_type != PackageType.Zip or not (cfg.runtime or "").startswith("provided"):
            raise LambdaRuntimeException(
                f"process executor runs zip packages for provided.* only, not {cfg.package_type}/{cfg.runtime}"
            )
        cfg.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion):
        pass

    def get_address(self) -> str:
        return HOST

    def get_endpoint_from_executor(self) -> str:
        return HOST

    def get_runtime_endpoint(self) -> str:
        return f"http://{HOST}:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    def get_logs(self) -> str:
        pending = self.output.take() if self.output else ""
        if pending:
            self.all_logs.append(pending)
        return "".join(self.all_logs[-50:])

    def start(self, env_vars: dict[str, str]) -> None:
        self.server = _RuntimeApiServer(self)
        threading.Thread(
            target=self.server.serve_forever,
            kwargs={"poll_interval": 0.5},
            name=f"lambda-runtime-api-{self.id[:8]}",
            daemon=True,
        ).start()
        self.tmp = tempfile.mkdtemp(prefix="lambda-tmp-")
        code = str(self.function_version.config.code.get_unzipped_code_location())
        env = {k: os.environ[k] for k in PASS_ENV if k in os.environ}
        env |= {
            "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
            "LANG": "en_US.UTF-8",
        }
        env |= {k: str(v) for k, v in env_vars.items()}
        env |= {
            "TZ": env_vars.get("TZ") or ":UTC",
            "TMPDIR": self.tmp,
            "LAMBDA_TASK_ROOT": code,
            "AWS_LAMBDA_RUNTIME_API": f"{HOST}:{self.server.server_port}",
        }
        self.env_vars = env
        try:
            self._spawn()
        except StatusErrorException:
            raise
        except Exception as e:
            raise StatusErrorException(str(e), payload=_error("Runtime.Unknown", str(e))) from e

    def stop(self) -> None:
        with self.cond:
            self.stopped = True
            self.cond.notify_all()
        self._kill()
        current, self.current = self.current, None
        if current and not current.result.done():
            current.result.cancel()
        if self.server:
            threading.Thread(target=self.server.close, daemon=True).start()  # blocks for a poll interval
        if self.tmp:
            shutil.rmtree(self.tmp, ignore_errors=True)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        request_id = payload["invoke-id"]
        timeout = float(self.function_version.config.timeout)
        inv = _Invocation(
            request_id,
            payload["invoked-function-arn"],
            payload.get("trace-id") or "",
            payload["payload"].encode(),
            timeout,
        )
        head = f"START RequestId: {request_id} Version: {self.function_version.id.qualifier}\n"
        init_ms, self.init_ms = self.init_ms, 0.0
        extra = ""
        try:
            if self.process is None or self.process.poll() is not None:
                # crashed or timed out before: AWS re-runs init inside the invocation ("suppressed init")
                self._spawn(limit=timeout)
            with self.cond:
                self.current = None
                self.pending = inv
                self._signal(signal.SIGCONT)
                self.cond.notify_all()
            body, is_error = inv.result.result(timeout=max(0.001, timeout - (time.monotonic() - inv.started)))
        except FutureTimeout:
            self._kill()
            body, is_error = (
                _error(
                    "Sandbox.Timedout",
                    f"RequestId: {request_id} Error: Task timed out after {timeout:.2f} seconds",
                ),
                True,
            )
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
            extra = f"{now} {request_id} Task timed out after {timeout:.2f} seconds\n\n"
        except StatusErrorException as e:
            body, is_error = e.payload, True
        finally:
            with self.cond:
                self.pending = None
                self.current = None
        duration = (time.monotonic() - inv.started) * 1000
        if is_error and b"Runtime.ExitError" in body:
            extra = f"{json.loads(body)['errorMessage']}\nRuntime.ExitError\n"
        mem = self.function_version.config.memory_size
        report = (
            f"END RequestId: {request_id}\n"
            f"REPORT RequestId: {request_id}\tDuration: {duration:.2f} ms\tBilled Duration: {int(duration) + 1} ms"
            f"\tMemory Size: {mem} MB\tMax Memory Used: {self._rss_mb()} MB"
            + (f"\tInit Duration: {init_ms:.2f} ms" if init_ms else "")
            + "\n"
        )
        text = self.output.take() if self.output else ""
        if text and not text.endswith("\n"):
            text += "\n"
        logs = head + text + extra + report
        self.all_logs.append(logs)
        return InvocationResult(request_id=request_id, payload=body, is_error=is_error, logs=logs)

    def _spawn(self, limit: float | None = None) -> None:
        bootstrap = Path(self.env_vars["LAMBDA_TASK_ROOT"]) / "bootstrap"
        if not os.access(bootstrap, os.X_OK):
            message = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
            raise StatusErrorException(message, payload=_error("Runtime.InvalidEntrypoint", message))
        if self.output:
            self.all_logs.append(self.output.take())
        begin = time.monotonic()
        read_fd, write_fd = os.pipe()
        try:
            try:
                with self.cond:  # a quick runtime asks for its first event before Popen returns
                    self.ready = ready = Future()
                    self.process = process = subprocess.Popen(
                        [str(bootstrap)],
                        cwd=self.env_vars["LAMBDA_TASK_ROOT"],
                        env=self.env_vars,
                        stdin=subprocess.DEVNULL,
                        stdout=write_fd,
                        stderr=write_fd,
                        process_group=0,
                    )
            finally:
                os.close(write_fd)
        except OSError as e:
            os.close(read_fd)
            message = f"fork/exec /var/task/bootstrap: {e.strerror}"
            raise StatusErrorException(
                message, payload=_error("Runtime.InvalidEntrypoint", message)
            ) from e
        self.output = _Output(read_fd)
        threading.Thread(
            target=self._watch,
            args=(process, ready),
            name=f"lambda-process-{process.pid}",
            daemon=True,
        ).start()
        limit = min(INIT_TIMEOUT_SEC, limit) if limit else INIT_TIMEOUT_SEC
        try:
            ready.result(timeout=limit)
        except FutureTimeout:
            self._kill()
            message = f"Init timed out after {limit:.2f} seconds"
            raise StatusErrorException(message, payload=_error("Sandbox.Timedout", message)) from None
        except StatusErrorException:
            self._kill()
            raise
        self.init_ms = (time.monotonic() - begin) * 1000

    def _watch(self, process: subprocess.Popen, ready: Future) -> None:
        code = process.wait()
        reason = (
            f"exit status {code}"
            if code > 0
            else f"signal: {signal.strsignal(-code).lower()}"
            if code < 0
            else ""
        )
        message = f"Runtime exited with error: {reason}" if reason else "Runtime exited without providing a reason"
        if not ready.done():
            ready.set_exception(
                StatusErrorException(message, payload=_error("Runtime.ExitError", message))
            )
        with self.cond:
            self.cond.notify_all()
            if process is not self.process:
                return
            victim = self.current or self.pending
        if victim and not victim.result.done():
            victim.result.set_result(
                (_error("Runtime.ExitError", f"RequestId: {victim.request_id} Error: {message}"), True)
            )

    def _signal(self, sig: int) -> None:
        process = self.process
        if process and process.poll() is None:
            try:
                os.killpg(process.pid, sig)
            except ProcessLookupError:
                pass

    def _kill(self) -> None:
        process, self.process = self.process, None
        if process:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                LOG.warning("lambda process %s did not die", process.pid)

    def _rss_mb(self) -> int:
        try:
            with open(f"/proc/{self.process.pid}/status") as f:
                for line in f:
                    if line.startswith("VmHWM"):
                        return int(line.split()[1]) // 1024
        except (OSError, AttributeError):
            pass
        return 0

    def _next(self) -> _Invocation | None:
        with self.cond:
            process = self.process
            if not self.ready.done():
                self.ready.set_result(None)
            if self.pending is None and FREEZE and not self.stopped:
                self._signal(signal.SIGSTOP)
            while self.pending is None:
                if self.stopped or process is not self.process or process is None or process.poll() is not None:
                    return None
                self.cond.wait(timeout=30)
            if process is not self.process:
                return None
            self.current, self.pending = self.pending, None
            return self.current

    def _finish(self, request_id: str, body: bytes, is_error: bool) -> bool:
        with self.cond:
            inv = self.current
            if inv is None or inv.request_id != request_id or inv.result.done():
                return False
            self.current = None
        inv.result.set_result((body, is_error))
        return True

    def _init_error(self, body: bytes) -> None:
        with self.cond:
            if not self.ready.done():
                self.ready.set_exception(StatusErrorException("Init error", payload=body))
