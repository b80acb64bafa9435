/** Where the volume is in the workspace's pod. */
export const mountPath = "/workspace";

/** Exit code for a version that is not there (any more): begin again without it. */
export const versionGone = 3;
/** Exit code for content that is not what was announced. */
export const contentDiffers = 4;

/** Ends the name of a lease that keeps its version, but not the workspace. */
export const mountedSuffix = ".mounted";

/**
 * First process of the pod. It ends once nobody has synced for a while and no lease keeps it, whatever becomes of the clients. A pod that is told to end
 * has failed, so that its Job makes another one.
 * Arguments: folder, idle seconds.
 */
export const idleScript = `
mkdir -p "$0/versions" "$0/contexts" "$0/incoming" "$0/trash" && : >"$0/used" || exit 1
trap 'exit 143' TERM INT
is_leased() {
  now=$(date +%s)
  for lease in "$0"/versions/*/leases/*; do
    case "$lease" in *${mountedSuffix}) continue ;; esac
    end=$(cat "$lease" 2>/dev/null) && [ "\${end:-0}" -gt "$now" ] && return 0
  done
  return 1
}
while [ $(($(date +%s) - $(date -r "$0/used" +%s))) -lt "$1" ] || is_leased; do
  sleep 5 &
  wait $!
done
`;

/**
 * Tells the newest version of a context, and what it holds unless that is known.
 * Arguments: folder, context, known version. Prints "none", "known" or "version <id>", then "gzip" if it can read that, and the packed list of entries.
 */
export const readScript = `
cd "$0" || exit 1
: >used
takes=$(command -v gzip >/dev/null && echo " gzip")
id=$(cat "contexts/$1" 2>/dev/null) || { echo "none$takes"; exit 0; }
[ -d "versions/$id/context" ] || { echo "none$takes"; exit 0; }
[ "$id" != "$2" ] || { echo "known$takes"; exit 0; }
echo "version $id$takes" && cat "versions/$id/entries"
`;

/**
 * For how many seconds nobody has synced or renewed a lease: "leased" while somebody uses a version. A lease that does not keep the workspace counts for as
 * long as its owner says that he is there. Arguments: folder, seconds after which an owner is gone who has said nothing.
 */
export const unusedScript = `
cd "$0" || exit 1
now=$(date +%s)
for lease in versions/*/leases/*; do
  end=$(cat "$lease" 2>/dev/null) && [ "\${end:-0}" -gt "$now" ] || continue
  case "$lease" in *${mountedSuffix}) taken=$(date -r "$lease" +%s) && [ $((now - taken)) -lt "$1" ] || continue ;; esac
  echo leased
  exit 0
done
echo $((now - $(date -r used +%s)))
`;

/** A sync that takes long is use for as long as its process lives. That is not the parent of this one: the tar of busybox waits for all its children. */
const keepUsed = `( (while kill -0 $$; do : >"$0/used"; sleep 1; done) </dev/null >/dev/null 2>&1 &)`;

/** Unpacks what comes in, where no build looks. Arguments: folder, sync, options of tar. */
export const receiveScript = `
exec 2>&1
${keepUsed}
mkdir -p "$0/incoming/$1" && cd "$0/incoming/$1" && exec tar "$2" -
`;

/** Deletes what nobody uses. Needs $minutes that contexts are kept, $own the name of this sync, and $now in epoch seconds. */
const tidy = `
leased() {
  for lease in "$1"/leases/*; do
    end=$(cat "$lease" 2>/dev/null) && [ "\${end:-0}" -gt "$now" ] && return 0
  done
  return 1
}
tidy() {
  find contexts -mindepth 1 -maxdepth 1 -mmin "+$minutes" -exec rm -f {} +
  find incoming trash -mindepth 1 -maxdepth 1 -mmin +120 -exec rm -rf {} +
  newest=" $(cat contexts/* 2>/dev/null | tr '\\n' ' ') "
  for version in versions/*; do
    case "$newest" in *" \${version#versions/} "*) continue ;; esac
    leased "$version" && continue
    gone="trash/\${version#versions/}.$own"
    mv "$version" "$gone" 2>/dev/null || continue
    # Whoever leased it meanwhile believes to have it.
    if leased "$gone"; then mv "$gone" "$version"; else rm -rf "$gone"; fi
  done
}
`;

/** Makes room behind a sync that came to nothing. Arguments: folder, sync, minutes that contexts are kept. */
export const abandonScript = `
cd "$0" || exit 1
own="$1" minutes="$2" now=$(date +%s)
${tidy}
rm -rf "incoming/$1"
tidy
`;

/**
 * Makes a version of what came in, and of another version if one is given: that one is taken if nobody uses it, else its files are shared by
 * hard links. Nothing is written into an existing file, and a version appears at once, by a rename. Nothing is locked: who renames first wins.
 * Arguments: folder, sync, context, base or "-", new version, lease, its seconds, minutes that contexts are kept.
 */
export const commitScript = `
exec 2>&1
cd "$0" || exit 1
sync="incoming/$1" base="versions/$3" own="$1" minutes="$7" now=$(date +%s)
${tidy}
fail() { code=$1; shift; echo "$*"; rm -rf "$sync"; exit "$code"; }
share() {
  cp -al "$base/context" "$sync/context" 2>/dev/null && return 0
  [ -d "$base/context" ] || fail ${versionGone} "the base is gone"
  rm -rf "$sync/context"
  cp -a "$base/context" "$sync/context" || fail 1 "the base cannot be copied"
}
${keepUsed}
[ -d "$sync/meta" ] || fail ${versionGone} "nothing came in"
mkdir -p "$sync/tree" "$sync/leases"
if [ -s "$sync/meta/sums" ]; then
  (cd "$sync/tree" && sha256sum -c ../meta/sums) >"$sync/check" 2>&1 || fail ${contentDiffers} "$(grep -v ': OK$' "$sync/check" | head -n 3)"
fi
if [ "$3" = - ]; then
  mv "$sync/tree" "$sync/context" || fail 1 "cannot rename"
else
  [ -d "$base/context" ] || fail ${versionGone} "the base is gone"
  if leased "$base"; then
    share
  else
    mv "$base" "$sync/base" 2>/dev/null || fail ${versionGone} "the base is gone"
    if leased "$sync/base"; then
      mv "$sync/base" "$base" && share
    else
      mv "$sync/base/context" "$sync/context" || fail 1 "cannot rename"
    fi
  fi
  if [ -s "$sync/meta/removed" ]; then
    (cd "$sync/context" && xargs -0 rm -rf -- <../meta/removed) || fail 1 "cannot delete what is gone"
  fi
  cp -a "$sync/tree/." "$sync/context/" || fail 1 "cannot copy what is new"
fi
echo $((now + $6)) >"$sync/leases/$5" || fail 1 "cannot write"
mkdir "$sync/version" && mv "$sync/context" "$sync/leases" "$sync/meta/entries" "$sync/version/" || fail 1 "cannot rename"
mv "$sync/version" "versions/$4" || fail 1 "cannot rename"
echo "$4" >"$sync/newest" && mv "$sync/newest" "contexts/$2" || fail 1 "cannot write"
rm -rf "$sync"
tidy
echo committed
`;

/** Keeps a version from being changed or deleted, from now on for so long. Arguments: folder, version, lease, its seconds, context. */
export const leaseScript = `
cd "$0" || exit 1
: >used
echo $(($(date +%s) + $3)) 2>/dev/null >"versions/$1/leases/$2" || exit ${versionGone}
touch "contexts/$4"
[ -d "versions/$1/context" ] || exit ${versionGone}
echo leased
`;

/** Arguments: folder, version, lease. */
export const releaseScript = `: >"$0/used"; rm -f "$0/versions/$1/leases/$2"; echo released`;
