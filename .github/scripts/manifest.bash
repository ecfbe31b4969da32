# What image-changed and bump-image must agree on: the line of the manifest that names the image,
# the commit which that line's tag stands for, and the files an image is made of.
# shellcheck shell=bash

readonly MANIFEST=k8s/deployment.yaml

# .dockerignore lets nothing else into the build, so commits equal in these have equal images.
readonly IMAGE_INPUTS=(Dockerfile .dockerignore Cargo.toml Cargo.lock src)

# Used by sed as well, with | as its delimiter. \2 is the image's name, \3 the commit's first seven digits.
readonly IMAGE_LINE='^( *image: )([^ ]+):sha-([0-9a-f]{7})$'

fail() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit "${2:-1}"
}

# report KEY VALUE SENTENCE: for the person at the terminal, the workflow's later steps, the run's page.
report() {
  printf '%s\n' "$3"
  [[ -z ${GITHUB_OUTPUT:-} ]] || printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
  [[ -z ${GITHUB_STEP_SUMMARY:-} ]] || printf '%s\n' "$3" >>"$GITHUB_STEP_SUMMARY"
}

# A shallow clone cannot tell which of two commits is older.
enter_whole_clone() {
  local shallow_and_top
  shallow_and_top=$(git rev-parse --is-shallow-repository --show-toplevel) || fail "run this inside a clone of the repository"
  [[ $shallow_and_top == false* ]] || fail "this clone is shallow, so it cannot tell which commit is older.
Run 'git fetch --unshallow' first; in a workflow, set fetch-depth: 0 on the checkout."
  cd "${shallow_and_top#*$'\n'}" || exit
}

# Sets image to what the working tree's manifest names, as NAME:sha-XXXXXXX.
read_image() {
  local line
  local found=()
  while IFS= read -r line; do
    [[ ! $line =~ $IMAGE_LINE ]] || found+=("${BASH_REMATCH[2]}:sha-${BASH_REMATCH[3]}")
  done <"$MANIFEST"
  ((${#found[@]} == 1)) || fail "$MANIFEST must have exactly one line of the form 'image: NAME:sha-<7 hex digits>'; \
it has ${#found[@]}, so nothing was written. Its image lines are:
$(grep -nE '^ *(- )?image:' "$MANIFEST" || echo '(none)')"
  # shellcheck disable=SC2034 # The scripts that source this file read it.
  image=${found[0]}
}

# commits_named NAME:sha-XXXXXXX REVISION: every commit of REVISION's history that the tag may stand for.
# None after a force-push or before the first build; more than one when two commits share seven digits.
commits_named() {
  git rev-list "$2" | sed -n "/^${1##*:sha-}/p"
}

# Whether two commits' images are built from the same files. An error counts as no, which builds once too often at worst.
same_inputs() {
  git diff-tree --quiet "$1" "$2" -- "${IMAGE_INPUTS[@]}"
}
