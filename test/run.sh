#!/bin/sh
# `npm test`: installs what it lacks, then runs jest with the arguments it was given.
OPENSEAT_FOLDER=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P) || exit 1
. "$OPENSEAT_FOLDER/src/machine/packages.sh"

# An install for production left it out.
jest=$OPENSEAT_FOLDER/node_modules/jest/bin/jest.js
[ -f "$jest" ] || rm -f "$OPENSEAT_FOLDER/node_modules/.package-lock.json"
install_packages dev || exit
find_node || exit
cd -- "$OPENSEAT_FOLDER" || exit 1
exec "$node" --max-semi-space-size=64 --disable-warning=ExperimentalWarning --experimental-vm-modules "$jest" "$@"
