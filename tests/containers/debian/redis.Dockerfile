# Debian's Redis, for machines that can't pull the image of compose.yaml. Takes the same commands.
ARG BASE
FROM ${BASE}
RUN apt-get update && apt-get install --yes --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/*
WORKDIR /data
# As in Redis's own image, other containers may connect.
ENTRYPOINT ["/bin/sh", "-c", "exec \"$@\" --protected-mode no", "sh"]
CMD ["redis-server"]
