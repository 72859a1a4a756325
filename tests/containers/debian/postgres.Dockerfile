# Debian's PostgreSQL, for machines that can't pull the image of compose.yaml. Takes the same three variables.
ARG BASE
FROM ${BASE}
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql && rm -rf /var/lib/apt/lists/*
COPY postgres-entrypoint /usr/local/bin/
RUN install --directory --owner=postgres --mode=0700 /var/lib/postgresql/data
USER postgres
ENV PGDATA=/var/lib/postgresql/data
CMD ["/usr/local/bin/postgres-entrypoint"]
