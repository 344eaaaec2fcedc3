#!/bin/sh
# `docker run IMAGE run` is `lending-club run`. Dagster's launchers and its Helm chart name their
# program in full: these start as they are, with the configuration that the settings describe.
set -eu

# A variable of Dagster's configuration comes from a secret file, as other settings do.
password_file="${SECRETS_DIR:-}/dagster_postgres_password"
if [ -n "${SECRETS_DIR:-}" ] && [ -z "${DAGSTER_POSTGRES_PASSWORD:-}" ] && [ -r "$password_file" ]; then
    DAGSTER_POSTGRES_PASSWORD=$(cat "$password_file")
    export DAGSTER_POSTGRES_PASSWORD
fi

# The dbt project comes parsed. Each copy appears whole, whoever else makes it at the same time.
for parsed in /opt/parsed/*; do
    [ -d "$parsed" ] || continue
    target="$DAGSTER_HOME/dbt/${parsed##*/}"
    if [ ! -e "$target" ] && mkdir -p "$DAGSTER_HOME/dbt" 2>/dev/null; then
        copy=$(mktemp -d "$DAGSTER_HOME/dbt/.preparing-XXXXXX")
        cp -R "$parsed/." "$copy" && mv -T "$copy" "$target" 2>/dev/null || rm -rf "$copy"
    fi
done

# Each run is a pod of its own there: its database file would end with it, and nobody would know.
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
        # A health check comes when the configuration is there.
        [ "${2:-}" = liveness-check ] || lending-club configure --quiet
        case "${DAGSTER_POSTGRES_PASSWORD:-}" in
            # A manager holds it, and the vendor's client reads it.
            aws-* | azure-* | google-*) exec lending-club configure --quiet -- "$@" ;;
        esac
        exec "$@"
        ;;
    sh | bash | python | python3 | /*) exec "$@" ;;
    *) exec lending-club "$@" ;;
esac
