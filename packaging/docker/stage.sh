#!/bin/sh
# Lays out what the image holds:
#
#     stage.sh BINARY DIRECTORY
#
# DIRECTORY/system becomes /, DIRECTORY/state becomes /var/lib. Used by the Dockerfile, and by
# packaging/check.sh, which runs the result without an engine.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
binary=$1
system=$2/system
state=$2/state

mkdir -p "$system/usr/bin" "$system/etc/wharf" "$system/usr/share/doc/wharf"
# There before the state is copied into it, so that it stays root's.
mkdir -p "$system/var/lib" "$state"
cp "$binary" "$system/usr/bin/wharf"
cp "$here/wharf.toml" "$system/etc/wharf/wharf.toml"
cp "$root/LICENSE-APACHE" "$root/LICENSE-MIT" "$system/usr/share/doc/wharf/"
chmod 755 "$system/usr/bin/wharf"
chmod 644 "$system/etc/wharf/wharf.toml"

# The loader and the system's libraries, as the binary names them. Name resolution for
# `wharf send` and `wharf receive` is part of the C library.
ldd "$binary" | awk '$2 == "=>" { print $3 } $1 ~ "^/" { print $1 }' | while read -r library; do
    cp -L --parents "$library" "$system"
done

# A name for the user, for whoever looks.
echo 'wharf:x:65532:65532:Wharf:/var/lib/wharf:/nonexistent' >"$system/etc/passwd"
echo 'wharf:x:65532:' >"$system/etc/group"

# A new volume takes over owner and mode of this directory.
mkdir -p "$state/wharf"
chmod 700 "$state/wharf"
