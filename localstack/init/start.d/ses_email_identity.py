"""Implements AWS::SES::EmailIdentity, whose create, update and delete LocalStack 4.14.0 leaves out. LocalStack runs
this file inside its own process when it starts."""

from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent
from localstack.services.ses.resource_providers.aws_ses_emailidentity import SESEmailIdentityProvider


def _done(request):
    return ProgressEvent(
        status=OperationStatus.SUCCESS,
        resource_model=request.desired_state,
        custom_context=request.custom_context,
    )


def _create(self, request):
    model = request.desired_state
    name = model["EmailIdentity"]
    ses = request.aws_client_factory.ses
    if "@" in name:
        ses.verify_email_identity(EmailAddress=name)
    else:
        ses.verify_domain_identity(Domain=name)
    domain = name.split("@")[-1]
    for i in (1, 2, 3):
        model[f"DkimDNSTokenName{i}"] = f"token{i}._domainkey.{domain}"
        model[f"DkimDNSTokenValue{i}"] = f"token{i}.dkim.amazonses.com"
    return _done(request)


def _update(self, request):
    return _done(request)


def _delete(self, request):
    request.aws_client_factory.ses.delete_identity(Identity=request.desired_state["EmailIdentity"])
    return _done(request)


# The script is run by exec with globals of its own, and what it assigns here outlives it.
SESEmailIdentityProvider.create = _create
SESEmailIdentityProvider.update = _update
SESEmailIdentityProvider.delete = _delete
