#!/bin/sh
# Installs Debian's RabbitMQ where there is none; its service is not started.
set -eu

if ! command -v rabbitmq-server >/dev/null; then
    apt-get update -q >&2
    RUNLEVEL=1 apt-get install -q -y --no-install-recommends rabbitmq-server >&2
fi
