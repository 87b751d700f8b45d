#!/bin/sh
# Gets the peers that Python's package index does not have: dbmate and graphile-migrate from npm, into .venv/bench-node.
# sqitch is a package of the system: it is looked for, and never installed from here. What cannot be had is said, and is
# no failure: the benchmarks leave it out, and say so too.
set -eu
cd "$(dirname "$0")/.."

if command -v npm >/dev/null 2>&1; then
  npm install --prefix .venv/bench-node --no-audit --no-fund --loglevel=error dbmate@2.36.0 graphile-migrate@1.4.1 ||
    echo "npm could not install dbmate and graphile-migrate: the benchmarks go without them" >&2
else
  echo "no npm: the benchmarks go without dbmate and graphile-migrate (apt-get install npm)" >&2
fi
command -v sqitch >/dev/null 2>&1 ||
  echo "no sqitch: the benchmarks go without it (apt-get install sqitch libdbd-pg-perl postgresql-client)" >&2
