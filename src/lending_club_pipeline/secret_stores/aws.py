"""Secrets of AWS Secrets Manager, by AWS's own client and its usual sign-in."""

import os
from typing import Final

from lending_club_pipeline.contract.errors import SecretError
from lending_club_pipeline.secret_stores.references import Reference

_ARN_PARTS: Final = 6
_FORBIDDEN: Final = 403
_REMEDIES: Final = {
    "ResourceNotFoundException": "there is no such secret in {region}. Correct the name, or set "
    "AWS_REGION to the region of the secret.",
    "AccessDeniedException": "this identity may not read it. Grant "
    "secretsmanager:GetSecretValue on it, and kms:Decrypt on its key if that is one of your own.",
    "DecryptionFailure": "its key cannot be used. Grant kms:Decrypt on the key of the secret.",
    "InvalidRequestException": "it is being deleted. Restore it, or name another one.",
}
_REFUSED: Final = "the sign-in at AWS was refused ({code}). Renew the credentials of this machine."


def read(reference: Reference) -> str:
    """Return the newest version of a secret.

    Raises:
        SecretError: it cannot be read; the text says which right is missing.
    """
    import boto3  # noqa: PLC0415 - of an extra
    from botocore import exceptions  # noqa: PLC0415 - of an extra

    arn = reference.name.split(":")
    # The client only reads AWS_DEFAULT_REGION; object stores and other clients read AWS_REGION.
    region = arn[3] if len(arn) > _ARN_PARTS else os.environ.get("AWS_REGION") or None
    try:
        client = boto3.session.Session().client("secretsmanager", region_name=region)
        answer = client.get_secret_value(SecretId=reference.name)
    except exceptions.ClientError as error:
        code = str(error.response["Error"]["Code"])
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        # AWS answers a refused sign-in with status 400 here.
        other = _REMEDIES["AccessDeniedException"] if status == _FORBIDDEN else _REFUSED
        remedy = _REMEDIES.get(code, other)
        where = client.meta.region_name
        raise SecretError(remedy.format(region=where, code=code)) from None
    except exceptions.NoRegionError:
        raise SecretError("AWS_REGION is not set. Set it to the region of the secret.") from None
    except (exceptions.NoCredentialsError, exceptions.CredentialRetrievalError):
        raise SecretError(
            "this machine has no credentials of AWS. Give it a role (workload identity), or set "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        ) from None
    except exceptions.BotoCoreError as error:
        raise SecretError(
            f"AWS Secrets Manager cannot be reached ({type(error).__name__}). Look at the network: "
            "a proxy (HTTPS_PROXY), or a VPC endpoint (AWS_ENDPOINT_URL_SECRETS_MANAGER)."
        ) from None
    value: str = answer.get("SecretString", "")
    return value
