#!/bin/bash
# For a failure case of the boot lab: a PostgreSQL that starts, and never takes a connection.
echo 'FATAL:  the lab lets no connection in' >&2
exec sleep infinity
