"""The sensor `alerts`, one tick after the other."""

import dagster as dg

from lending_club_pipeline.defs.instance import open_instance
from lending_club_pipeline.defs.operating.alerts import build_alerts_sensor
from lending_club_pipeline.defs.project import build_definitions
from tests.workspaces import Workspace


class Watchman:
    """Looks as the daemon would, one tick after the other."""

    def __init__(self, workspace: Workspace, url: str, **settings: object) -> None:
        self._settings = workspace.settings(alertmanager_url=url, **settings)
        self._definitions = build_definitions(self._settings)
        self._sensor = build_alerts_sensor(self._settings, {})
        self.cursor: str | None = None

    def look(self) -> str:
        with open_instance(self._settings.dagster.home) as instance:
            context = dg.build_sensor_context(
                instance=instance, cursor=self.cursor, definitions=self._definitions
            )
            result = self._sensor(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        return str(result.skip_reason)
