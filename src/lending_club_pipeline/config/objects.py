"""Settings of object stores: server, timeouts, storage of objects.

Credentials are the platform's own: its workload identity, or the usual variables (`AWS_…`,
`AZURE_…`, `GOOGLE_…`), which the library reads itself.
"""

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from lending_club_pipeline.config.concern import Concern, prefixed
from lending_club_pipeline.config.paths import AnyPath
from lending_club_pipeline.config.values import WebAddress
from lending_club_pipeline.contract.locations import Location, ObjectUrl

Encryption = Literal["AES256", "aws:kms", "aws:kms:dsse"]


class ObjectSettings(Concern):
    """Object stores of deliveries and outputs; unused if both are folders."""

    model_config = SettingsConfigDict(alias_generator=prefixed("OBJECTS_"))

    endpoint: WebAddress | None = None
    """Address of another server than the cloud's own: a private endpoint, or one on premises."""
    ca_file: AnyPath | None = None
    """Certificates to trust besides the system's (PEM)."""
    timeout_seconds: float = Field(default=30.0, gt=0, le=3600, allow_inf_nan=False)
    """Seconds without an answer after which a request is retried."""
    retry_seconds: float = Field(default=120.0, ge=0, le=280, allow_inf_nan=False)
    """How long a request is retried if the store is busy or does not answer, in seconds."""
    encryption: Encryption | None = None
    """Encryption of outputs in S3; the bucket's default if it is not set."""
    kms_key: str | None = None
    """Key of AWS KMS for it; the account's own if it is not set."""
    storage_class: str | None = None
    """Storage class (Azure: access tier) of outputs; the bucket's default if it is not set."""

    def check_for(self, outputs: Location) -> None:
        """Check that outputs are encrypted as these settings say.

        Raises:
            ValueError: only S3 takes the encryption of an object from who writes it.
        """
        if not isinstance(outputs, ObjectUrl) or outputs.scheme == "s3":
            return
        if self.encryption or self.kms_key:
            raise ValueError(
                f"OBJECTS_ENCRYPTION and OBJECTS_KMS_KEY are for S3, but OUTPUT_PATH={outputs}: "
                "leave them out, and set the key of the bucket or container there"
            )
