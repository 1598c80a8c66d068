# Finds Node and installs packages, for ./openseat and test/run.sh. Sourced, with OPENSEAT_FOLDER set; POSIX sh, as there
# is no Node 24 before `npm ci` has brought it. Every function says on stderr what is wrong, in one line, and returns 1.

NEEDED_NODE=24
say() { printf '%s\n' "$*" >&2; }

# Whether `npm ci` finished, and package-lock.json is the one it read: npm writes its own copy of it last. A clone or a
# checkout gives the file a new date without changing it, so then the versions are compared. $1: `dev` counts too.
packages_are_current() {
  installed=$OPENSEAT_FOLDER/node_modules/.package-lock.json
  [ -f "$installed" ] || return
  [ -n "$(find "$OPENSEAT_FOLDER/package-lock.json" -newer "$installed")" ] || return 0
  find_any_node && "$node" --input-type=module - "$OPENSEAT_FOLDER/package-lock.json" "$installed" "$1" <<'JS'
import { readFileSync } from 'node:fs'
const [wanted, installed] = process.argv.slice(2, 4).map((file) => JSON.parse(readFileSync(file, 'utf8')).packages)
const withDev = process.argv[4] === 'dev'
const isLacking = ([path, { version, optional, devOptional, peer, dev }]) =>
  path !== '' && installed[path]?.version !== version &&
  (path in installed || !(optional || devOptional || peer || (dev && !withDev)))
const isLeftOver = (path) => !(path in wanted)
process.exit(Object.entries(wanted).some(isLacking) || Object.keys(installed).some(isLeftOver) ? 1 : 0)
JS
}

# Fails if the packages are not installed, and says how. A running Openseat uses them, so only the demo and tests install.
need_packages() {
  [ -d "$OPENSEAT_FOLDER/node_modules" ] && return
  say "Openseat's packages are not installed yet. Run: cd '$OPENSEAT_FOLDER' && npm ci"
  return 1
}

# Installs the packages if they are missing or not those of package-lock.json. `dev`: those of the tests too.
install_packages() {
  packages_are_current "$1" && return
  if ! command -v npm >/dev/null; then
    say "npm is missing; it installs Openseat's packages. On Debian: sudo apt-get install --no-install-recommends npm"
    return 1
  fi
  version=$(npm --version 2>/dev/null)
  if [ "${version%%.*}" -lt 7 ] 2>/dev/null; then
    say "npm $version is too old to install Openseat's packages; it takes npm 7 or newer (Debian 12 and later have it)."
    return 1
  fi
  if [ -d "$OPENSEAT_FOLDER/node_modules" ]; then
    say 'Installing packages anew, as some are missing or package-lock.json has changed: npm ci'
  else
    say 'Installing packages, once; this takes a minute: npm ci'
  fi
  # Stdout belongs to the command.
  (cd -- "$OPENSEAT_FOLDER" && npm ci --no-audit --no-fund ${1:+--include="$1"} >&2) && return
  say 'npm ci failed; see above.'
  return 1
}

# Sets `node` to the one that npm brought, or else to the system's, whatever its version.
find_any_node() {
  node=$OPENSEAT_FOLDER/node_modules/.bin/node
  [ -x "$node" ] && return
  # npm 9, which Debian has, installs it without this link, which npm scripts need.
  for node in "$OPENSEAT_FOLDER"/node_modules/node-linux-*/bin/node; do
    [ -x "$node" ] || continue
    ln -s "../${node#"$OPENSEAT_FOLDER/node_modules/"}" "$OPENSEAT_FOLDER/node_modules/.bin/node" 2>/dev/null
    return 0
  done
  node=$(command -v node)
}

# Sets `node` to the program to run.
find_node() {
  if ! find_any_node; then
    say "Node is missing. Install Node $NEEDED_NODE or newer; on Linux, npm ci brings it."
    return 1
  fi
  case $node in "$OPENSEAT_FOLDER"/*) return ;; esac
  version=$("$node" --version)
  version=${version#v}
  [ "${version%%.*}" -ge "$NEEDED_NODE" ] && return
  say "Node $version is too old; Openseat takes Node $NEEDED_NODE or newer. On Linux, npm ci brings it: run npm ci again."
  return 1
}
