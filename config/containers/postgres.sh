#!/bin/sh
# Run once, when PostgreSQL makes its data: the owner of the platform's database, no superuser, as on any managed
# PostgreSQL. `migrate` makes the other roles.
set -eu
psql --quiet --set ON_ERROR_STOP=1 --set password="$OWNER_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE aetherflow LOGIN CREATEROLE PASSWORD :'password';
CREATE DATABASE aetherflow OWNER aetherflow;
SQL
