#!/bin/sh
# `docker run IMAGE run` means `lending-club run`. Dagster's launchers and its Helm chart name their
# whole program: it starts unchanged, with a configuration from the settings.
set -eu

# A variable of Dagster's configuration comes from a secret file, as other settings do.
password_file="${SECRETS_DIR:-}/dagster_postgres_password"
if [ -n "${SECRETS_DIR:-}" ] && [ -z "${DAGSTER_POSTGRES_PASSWORD:-}" ] && [ -r "$password_file" ]; then
    DAGSTER_POSTGRES_PASSWORD=$(cat "$password_file")
    export DAGSTER_POSTGRES_PASSWORD
fi

# Copy the parsed dbt project atomically: several containers may do so at the same time.
for parsed in /opt/parsed/*; do
    [ -d "$parsed" ] || continue
    target="$DAGSTER_HOME/dbt/${parsed##*/}"
    if [ ! -e "$target" ] && mkdir -p "$DAGSTER_HOME/dbt" 2>/dev/null; then
        copy=$(mktemp -d "$DAGSTER_HOME/dbt/.preparing-XXXXXX")
        cp -R "$parsed/." "$copy" && mv -T "$copy" "$target" 2>/dev/null || rm -rf "$copy"
    fi
done

# In a cluster each run is a pod: its database file would be lost with it, without an error.
if [ "${1:-}" = dagster ] && [ -n "${KUBERNETES_SERVICE_HOST:-}" ] && [ "${DATABASE_TYPE:-duckdb}" = duckdb ]; then
    case "${2:-}" in
        api | code-server)
            echo "Error: DATABASE_TYPE=duckdb keeps its database in a file, which ends with each run's pod." \
                "Set DATABASE_TYPE=databricks and the DATABRICKS_ variables. See docs/kubernetes.md." >&2
            exit 2
            ;;
    esac
fi

case "${1:-}" in
    dagster | dagster-*)
        # The configuration exists already when a health check runs.
        [ "${2:-}" = liveness-check ] || lending-club configure --quiet
        case "${DAGSTER_POSTGRES_PASSWORD:-}" in
            # A secret manager holds it; the vendor's client reads it.
            aws-* | azure-* | google-*) exec lending-club configure --quiet -- "$@" ;;
        esac
        exec "$@"
        ;;
    sh | bash | python | python3 | /*) exec "$@" ;;
    *) exec lending-club "$@" ;;
esac
