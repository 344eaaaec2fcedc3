"""Tag runs with the user who started them."""

from typing import Final

import dagster as dg

# The name that Dagster's own guide gives it.
USER_TAG: Final = "user"
# deploy/gateway/nginx.conf sets it to the signed-in user and drops a browser's own value.
_SIGNED_IN: Final = "X-Forwarded-Email"


class AttributingRunCoordinator(dg.QueuedRunCoordinator):
    """Queues runs, and tags runs from Dagster's pages with the user who signed in at the gateway.

    See https://docs.dagster.io/guides/deploy/execution/customizing-run-queue-priority. Runs of a
    backfill have no such tag, because the daemon starts them: the audit log names the user.
    """

    def submit_run(self, context: dg.SubmitRunContext) -> dg.DagsterRun:
        """Tag a run, then queue it; a user tag without a sign-in is emptied."""
        run = context.dagster_run
        user = context.get_request_header(_SIGNED_IN) or ""
        if user or USER_TAG in run.tags:
            context.workspace.instance.add_run_tags(run.run_id, {USER_TAG: user})
        return super().submit_run(context)
