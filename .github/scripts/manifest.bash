# How the scripts read a service's deployment.yaml, and what image-changed and bump-image must agree on besides.
# shellcheck shell=bash
#
# The file is read by its lines, so that an edit keeps every other byte and nothing has to be installed.
# loopctl reads by the same rules; a table of cases holds the two to each other.
# An image that is written in another way than block style is refused with its line. A hold is found in
# any style: whatever may be one is one.

# Bytes are compared below, and git's messages are read.
export LC_ALL=C

readonly HOLD=delivery.argo-rust/hold

# .dockerignore lets nothing else into the build, so commits equal in these have equal images.
readonly IMAGE_INPUTS=(Dockerfile .dockerignore Cargo.toml Cargo.lock src)

# look_at FOLDER: from here on all is about the service whose sources are there: `.` is the repository's own,
# services/NAME one that `loopctl service add --new` made.
look_at() {
  if [[ $1 == . ]]; then
    manifest=k8s/deployment.yaml inputs=("${IMAGE_INPUTS[@]}") suffix=
  else
    manifest=k8s/${1#services/}/deployment.yaml inputs=("${IMAGE_INPUTS[@]/#/"$1"/}") suffix=/${1#services/}
  fi
}

# The folder of each service that is built from this repository, as that commit has them.
services() {
  local folder
  echo .
  git ls-tree -d --name-only "$1" services/ | while IFS= read -r folder; do
    ! is_service "$1" "$folder" || printf '%s\n' "$folder"
  done
}

# is_service COMMIT FOLDER: an image is built of it, and a manifest names that.
is_service() {
  local file
  for file in "$2/Dockerfile" "k8s/${2#services/}/deployment.yaml"; do
    git cat-file -e "$1:$file" 2>/dev/null || return
  done
}

# A key in either kind of quotes or in none, and what stands behind its colon.
readonly KEY='^("([^"\]+)"|'\''([^'\'']+)'\''|([A-Za-z0-9_./-]+))[[:blank:]]*:([[:blank:]]+(.*))?$'
# The same for a value: one word, perhaps with a comment behind it.
readonly WORD='^("([^"\]*)"|'\''([^'\'']*)'\''|([A-Za-z0-9/][^[:blank:]]*))([[:blank:]]+(#.*)?)?$'

# Quotes that begin where a value can begin, and end on their line.
readonly CLEAN='(([^"'\''\#]*[[:blank:],:{[])?("[^"\]*"|'\''[^'\'']*'\''))*'
# Only what surely is a comment: no quotes are open before it, and it holds nothing that could end it.
readonly COMMENT="^(${CLEAN}[^\"'\\#]*[[:blank:]])?#[ -~"$'\t'"]*\$"
readonly CLOSED="^${CLEAN//\\#/\\\\}[^\"'\\]*\$"
readonly MENTIONED="(^|[^A-Za-z0-9_./#-])${HOLD//./\\.}([^A-Za-z0-9_./-]|\$)"
readonly HELD="${HOLD//./\\.}[\"']?[[:blank:]]*:[[:blank:]]*[\"']?([^]\"'{},#[:space:]]*)"
# Keys that spell something else than what is read: with escapes, or by an alias.
readonly DISGUISED='\\[xuU/][^"]*"[[:blank:]]*:|^[[:blank:]]*\?[[:blank:]].*\\|\*[^][:blank:],{}[]+[[:blank:]]+:'

declare -A value_of line_of goes_on

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

# read_image [COMMIT]: sets image to what the work tree's manifest names, or that of a commit, as NAME:sha-XXXXXXX;
# written to what stands there, which may have a digest as well; image_at to its line.
read_image() {
  local path
  scan_manifest "$@"
  find_container
  path=$container/image
  image_at=${line_of[$path]:-}
  [[ -n $image_at ]] || refuse "${line_of[$container]}" "this container has no image"
  word "$path"
  written=$REPLY
  [[ $written =~ ^([A-Za-z0-9][A-Za-z0-9./:_-]*):sha-([0-9a-f]{7})(@sha256:[0-9a-f]{64})?$ ]] ||
    refuse "$image_at" "the image $written has not the form NAME:sha-<7 hex digits>, which a bump could go on from"
  image=${BASH_REMATCH[1]}:sha-${BASH_REMATCH[2]}
}

# Sets deployment to the Deployment's name, container to the path of the container that has it, or is the only one.
find_container() {
  local document found='' containers place at own
  for ((document = 1; document <= documents; document++)); do
    [[ ${value_of[$document/kind]:-} =~ ^[\"\']?Deployment[\"\']?([[:blank:]].*)?$ ]] || continue
    [[ -z $found ]] || refuse "${line_of[$document/kind]}" "this is a second Deployment"
    found=$document
  done
  # Where none says so, one that says nothing about its kind will be it.
  for ((document = 1; document <= documents; document++)); do
    [[ -n $found || -n ${line_of[$document/kind]:-} || -z ${line_of[$document/spec]:-} ]] || found=$document
  done
  [[ -n $found ]] || fail "$manifest has no document of 'kind: Deployment'"
  containers=$found/spec/template/spec/containers own=$found/metadata/name
  ((tab_at == 0)) || refuse "$tab_at" "a tab indents this line, which YAML does not allow"
  for place in spec spec/template spec/template/spec spec/template/spec/containers; do
    place=${containers%%/*}/$place
    [[ -n ${line_of[$place]:-} ]] || fail "$manifest has no ${place#*/} in block style, each key on a line of its own"
    [[ -z ${value_of[$place]} ]] ||
      refuse "${line_of[$place]}" "${place#*/} is '${value_of[$place]}'; write it in block style, each key on a line of its own"
  done
  local count=${value_of[$containers/#]:-0} named=()
  ((count > 0)) || refuse "${line_of[$containers]}" "it lists no container"
  word "$own"
  deployment=$REPLY
  for ((at = 0; at < count; at++)); do
    place=$containers/$at
    [[ -z ${line_of[$place/?]:-} ]] ||
      refuse "${line_of[$place]}" "this container is not in block style; write each of its keys on a line of its own"
    word "$place/name"
    [[ $count != 1 && $REPLY != "$deployment" ]] || named+=("$place")
  done
  ((${#named[@]} == 1)) ||
    refuse "${line_of[$containers]}" "${#named[@]} of $count containers have the Deployment's name, $deployment; one must"
  container=${named[0]}
}

refuse() {
  fail "$manifest, line $1: $2"
}

# word PATH: sets REPLY to the one word that stands there, without quotes and comment; to nothing where nothing does.
word() {
  local at=${line_of[$1]:-} text=${value_of[$1]:-}
  REPLY=
  [[ -n $at ]] || return 0
  [[ -z ${line_of[$1/twice]:-} ]] || refuse "${line_of[$1/twice]}" "${1##*/} is said a second time, after line $at"
  [[ -z ${goes_on[$1]:-} ]] || refuse "${goes_on[$1]}" "the ${1##*/} of line $at goes on here; write it on one line"
  [[ $text =~ $WORD ]] || refuse "$at" "the ${1##*/} is '$text', which is not read here; write it out, in quotes or without"
  REPLY=${BASH_REMATCH[2]}${BASH_REMATCH[3]}${BASH_REMATCH[4]}
}

# scan_manifest [COMMIT]: fills value_of and line_of by path: the document's number, then keys and places in lists, such
# as 1/spec/template/spec/containers/0/image. What is no key is kept as the key '?', so that nothing below it is found.
scan_manifest() {
  local line rest indent at=0 depth=0 text=-1 parent key
  local -a path_at=(1) indent_at=(-1) is_item=(0)
  value_of=() line_of=() goes_on=() documents=1 tab_at=0
  while IFS= read -r line || [[ -n $line ]]; do
    at=$((at + 1)) line=${line%$'\r'} line=${line#$'\xef\xbb\xbf'}
    [[ ! $line =~ ^[[:blank:]]*(#|$) ]] || continue
    if [[ $line =~ ^(---|\.\.\.)([[:blank:]]|$) ]]; then
      documents=$((documents + 1)) depth=0 text=-1 path_at=("$documents")
      continue
    fi
    rest=${line#"${line%%[! ]*}"}
    indent=$((${#line} - ${#rest}))
    # The lines of a text (| or >) are deeper than its key, whatever they look like.
    ((text < 0 || indent <= text)) || continue
    text=-1
    [[ $rest != $'\t'* || ! $rest =~ ^$'\t'[[:blank:]]*(-[[:blank:]]|[A-Za-z\"\'][^:]*:([[:blank:]]|$)) ]] || tab_at=$at
    while [[ $rest == -* && $rest =~ ^-([[:blank:]]+(.*))?$ ]]; do
      rest=${BASH_REMATCH[2]}
      # A list may stand as far left as the key that it belongs to.
      while ((depth > 0 && (indent_at[depth] > indent || (indent_at[depth] == indent && is_item[depth])))); do
        depth=$((depth - 1))
      done
      parent=${path_at[depth]}
      key=${value_of[$parent/#]:-0}
      value_of[$parent/#]=$((key + 1))
      depth=$((depth + 1)) path_at[depth]=$parent/$key indent_at[depth]=$indent is_item[depth]=1
      line_of[$parent/$key]=$at value_of[$parent/$key]=
      indent=$((indent + ${#BASH_REMATCH[0]} - ${#rest}))
    done
    [[ -n $rest && $rest != '#'* ]] || continue
    while ((depth > 0 && indent_at[depth] >= indent)); do
      depth=$((depth - 1))
    done
    parent=${path_at[depth]} key='?'
    [[ -z ${value_of[$parent]:-} ]] || goes_on[$parent]=$at
    if [[ $rest =~ $KEY ]]; then
      key=${BASH_REMATCH[2]}${BASH_REMATCH[3]}${BASH_REMATCH[4]} rest=${BASH_REMATCH[6]}
    fi
    # An anchor names the value behind it, and changes nothing.
    [[ $rest != '&'* || ! $rest =~ ^\&[^[:blank:]]+[[:blank:]]*(.*)$ ]] || rest=${BASH_REMATCH[1]}
    [[ $rest != '#'* ]] || rest=
    if [[ $rest == [!a-z0-9]* && $rest =~ ^(![^[:blank:]]*[[:blank:]]+)?[\|\>] ]]; then
      text=$indent
      [[ $key != '?' || ${is_item[depth]} == 0 ]] || text=${indent_at[depth]}
    fi
    [[ -z ${line_of[$parent/$key]:-} ]] || line_of[$parent/$key/twice]=$at
    depth=$((depth + 1)) path_at[depth]=$parent/$key indent_at[depth]=$indent is_item[depth]=0
    value_of[$parent/$key]=$rest line_of[$parent/$key]=${line_of[$parent/$key]:-$at}
  done < <(if (($# == 0)); then cat "$manifest"; else git cat-file blob "$1:$manifest"; fi)
}

# Sets hold_at to the line of the hold, bad_revision to what it calls bad; hold_is_certain only where it surely is one.
# shellcheck disable=SC2034 # The scripts that source this file read them.
find_hold() {
  local line at=0 open='' text
  hold_at='' bad_revision='' hold_is_certain=''
  text=$(<"$manifest")
  # Most manifests have nothing that any line could be one by.
  [[ $text == *"$HOLD"* || $text == *[\\*]* ]] || return 1
  while IFS= read -r line || [[ -n $line ]]; do
    at=$((at + 1)) line=${line%$'\r'}
    if [[ -z $open && $line =~ $COMMENT ]]; then
      line=${BASH_REMATCH[1]}
    fi
    if [[ $line =~ $MENTIONED || $line =~ $DISGUISED ]]; then
      [[ -n $hold_at ]] || hold_at=$at
      if [[ $line =~ $HELD ]]; then
        hold_at=$at bad_revision=${BASH_REMATCH[1]} hold_is_certain=yes
        return 0
      fi
    fi
    [[ $line =~ $CLOSED ]] || open=$at
  done <"$manifest"
  [[ -n $hold_at ]]
}

# commits_named NAME:sha-XXXXXXX REVISION: every commit of REVISION's history that the tag may stand for.
# None after a force-push or before the first build; more than one when two commits share seven digits.
commits_named() {
  git rev-list "$2" -- | sed -n "/^${1##*:sha-}/p"
}

# Whether two commits' images are built from the same files. An error counts as no, which builds once too often at worst.
same_inputs() {
  git diff-tree --quiet "$1" "$2" -- "${inputs[@]}"
}

# needs_image NAME COMMIT: whether COMMIT needs an image of its own; 3 is no. Asked of COMMIT alone, so that each job of
# each run gets the same answer. Prints a sentence that says why.
needs_image() {
  local named changed
  read_image "$2"
  mapfile -t named < <(commits_named "$image" "$2")
  if [[ ${image%:*} != "$1" ]]; then
    echo "$manifest names ${image%:*}, this repository builds $1: an image is needed."
  elif ((${#named[@]} != 1)); then
    echo "${image##*:} stands for ${#named[@]} commits of this history, not one: an image is needed."
  elif same_inputs "${named[0]}" "$2"; then
    echo "No input of the image changed since ${image##*:}: nothing is built, nothing restarts."
    return 3
  else
    changed=$(git diff-tree --name-only "${named[0]}" "$2" -- "${inputs[@]}")
    echo "Changed since ${image##*:}: ${changed//$'\n'/, }. An image is needed."
  fi
}
