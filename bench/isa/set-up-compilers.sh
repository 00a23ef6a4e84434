#!/bin/sh
# Fetches, and for Intel builds, the Vulkan compilers of GPU vendors' drivers into a folder, without root:
#   sh set-up-compilers.sh FOLDER VENDOR...     VENDOR: intel nvidia apple adreno mali new-intel new-nvidia
# A second run does only what is missing. Packages come from the machine's own apt sources.
set -eu
cache=$1; shift
log=/dev/null

say() { echo "bench:isa: $*" >&2; }
fail() { say "$*"; [ ! -s "$log" ] || { say "last lines of $log:"; tail -n 15 "$log" >&2; }; exit 1; }
quietly() { "$@" >>"$log" 2>&1 || fail "failed: $*"; }

# `step NAME WHAT FUNCTION ARGS...`: runs the function once; a file marks that it succeeded.
missing() { [ ! -e "$cache/done/$1" ]; }
step() {
  step=$1 what=$2; shift 2
  missing "$step" || return 0
  check
  say "$what, into $cache ..."; began=$(date +%s)
  "$@"
  mkdir -p "$cache/done"; : >"$cache/done/$step"
  say "$what: done in $(($(date +%s) - began)) s"
}

# Fails on machines that cannot be set up.
check() {
  [ -z "${checked-}" ] || return 0
  checked=yes
  [ "$(uname -sm)" = 'Linux x86_64' ] || fail "the compilers are set up on Debian for amd64 only; this is $(uname -sm)"
  release=$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME-}") || release=
  [ "$release" = trixie ] || fail "the compilers are set up on Debian trixie only; this is ${release:-no Debian}"
  for tool in apt-get dpkg-deb tar gcc g++ python3 pkg-config awk script; do
    command -v $tool >/dev/null || fail "no $tool; on Debian: apt-get install -y gcc g++ python3 pkg-config bsdutils"
  done
  mkdir -p "$cache"; log=$cache/setup.log; : >"$log"
}

# `apt_options RELEASE ARCHITECTURE TYPE`: sets $apt, with lists and archives of its own, so that packages of another
# release or architecture do not touch the machine. TYPE: deb or deb-src.
apt_options() {
  dir=$cache/apt/$1-$2-$3
  mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial" "$dir/sources"
  : >"$dir/status"
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -e "$file" ] || continue
    # Stanzas that have the machine's release among their suites.
    sed '/^#/d' "$file" | awk -v from="$release" -v to="$1" -v type="$3" 'BEGIN { RS = ""; FS = "\n" } {
      found = 0
      for (i = 1; i <= NF; i++) { n = split($i, word, " "); if (word[1] == "Suites:") for (j = 2; j <= n; j++) if (word[j] == from) found = 1 }
      if (!found) next
      for (i = 1; i <= NF; i++) {
        if ($i ~ /^Suites:/) print "Suites: " to
        else if ($i ~ /^Types:/) print "Types: " type
        else if ($i !~ /^Architectures:/) print $i
      }
      print ""
    }' >"$dir/sources/$(basename "$file")"
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -e "$file" ] || continue
    awk -v from="$release" -v to="$1" -v type="$3" '$1 == "deb" { for (i = 2; i < NF; i++) if ($i == from) { $i = to; $1 = type; print; next } }' \
      "$file" >"$dir/sources/$(basename "$file")"
  done
  find "$dir/sources" -size 0 -delete
  [ -n "$(ls "$dir/sources")" ] || fail "no source of $release in /etc/apt/sources.list.d or sources.list"
  apt="-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$dir/sources -o Dir::State=$dir/state -o Dir::State::status=$dir/status"
  apt="$apt -o Dir::Cache=$dir/cache -o APT::Architecture=$2 -o APT::Architectures=$2 -o APT::Sandbox::User=$(id -un) -o Acquire::Languages=none"
}

# `extract RELEASE ARCHITECTURE ROOT PACKAGE...`: extracts packages and all that they depend on into a folder.
extract() {
  apt_options "$1" "$2" deb; root=$3; shift 3
  quietly apt-get $apt update
  rm -f "$dir"/cache/archives/*.deb
  quietly apt-get $apt install -y --download-only --no-install-recommends "$@"
  mkdir -p "$root"
  for file in "$dir"/cache/archives/*.deb; do quietly dpkg-deb -x "$file" "$root"; done
  # Half of the bytes: LLVM and the drivers that need it, which none of these vendors' drivers does.
  find "$root" \( -name 'libLLVM*' -o -name 'libclang-cpp*' -o -name 'libgallium*' -o -name 'libvulkan_radeon*' -o -name 'libvulkan_lvp*' \) -delete
  rm -rf "$dir" "$root/usr/share/doc" "$root/usr/share/locale"
  for name in bin lib lib64 sbin; do
    [ ! -d "$root/usr/$name" ] || [ -e "$root/$name" ] || ln -s usr/$name "$root/$name"
  done
}

# `drivers ROOT ARCHITECTURE PREFIX`: writes PREFIX-NAME.json, the driver files with absolute paths.
drivers() {
  lib=$1/usr/lib/$2-linux-gnu
  for file in "$1"/usr/share/vulkan/icd.d/*.json; do
    name=$(basename "$file" .json); name=${name%%_icd*}
    sed "s#\"library_path\": \"[^\"]*/\?\(lib[^/\"]*\)\"#\"library_path\": \"$lib/\1\"#" "$file" >"$cache/$3-$name.json"
  done
}

packages='mesa-vulkan-drivers mesa-drm-shim libvulkan1'
amd64() { extract "$1" amd64 "$cache/$1-amd64" $packages; drivers "$cache/$1-amd64" x86_64 "$1-amd64"; }
arm64() { extract "$1" arm64 "$cache/$1-arm64" $packages nodejs; drivers "$cache/$1-arm64" aarch64 "$1-arm64"; }
emulator() {
  extract "$release" amd64 "$cache/qemu" qemu-user
  find "$cache/qemu/usr/bin" -type f ! -name 'qemu-aarch64' -delete # 40 others
}

# Intel's shim: Debian does not package it. It is built from Mesa's source; the driver itself is in mesa-vulkan-drivers.
intel_shim() ( # a subshell: it changes the environment
  tools=$cache/build/tools; source=$cache/build/mesa
  rm -rf "$cache/build"; mkdir -p "$tools" "$source"
  apt_options "$release" amd64 deb
  quietly apt-get $apt update
  (cd "$tools" && quietly apt-get $apt download meson ninja-build python3-mako python3-markupsafe python3-yaml python3-packaging bison flex m4 \
    libdrm-dev libdrm2 libdrm-intel1 libdrm-radeon1 libdrm-nouveau2 libdrm-amdgpu1 libpciaccess0 libexpat1-dev libexpat1 libfl2 glslang-tools \
    zlib1g-dev libelf1t64) || exit 1
  for file in "$tools"/*.deb; do quietly dpkg-deb -x "$file" "$tools"; done
  rm -rf "$dir"
  apt_options "$release" amd64 deb-src
  quietly apt-get $apt update
  (cd "$cache/build" && quietly apt-get $apt source --download-only mesa) || exit 1
  quietly tar xf "$cache"/build/mesa_*.orig.tar.xz -C "$source" --strip-components=1
  rm -rf "$dir" "$cache"/build/mesa_*
  lib=$tools/usr/lib/x86_64-linux-gnu
  sed -i "s#^prefix=/usr#prefix=$tools/usr#" "$lib"/pkgconfig/*.pc
  PATH=$tools/usr/bin:$PATH PYTHONPATH=$tools/usr/lib/python3/dist-packages PKG_CONFIG_PATH=$lib/pkgconfig LD_LIBRARY_PATH=$lib
  BISON_PKGDATADIR=$tools/usr/share/bison M4=$tools/usr/bin/m4 PYTHONDONTWRITEBYTECODE=1
  export PATH PYTHONPATH PKG_CONFIG_PATH LD_LIBRARY_PATH BISON_PKGDATADIR M4 PYTHONDONTWRITEBYTECODE
  # The system's Python: its version is the one that the packages above are of.
  python=/usr/bin/python3; [ -x $python ] || python=python3
  quietly $python "$tools/usr/bin/meson" setup "$cache/build/out" "$source" -Dtools=intel,drm-shim -Dvulkan-drivers= -Dgallium-drivers= -Dopengl=false \
    -Dglx=disabled -Degl=disabled -Dgbm=disabled -Dplatforms= -Dllvm=disabled -Dgles1=disabled -Dgles2=disabled -Dbuildtype=plain -Dxmlconfig=disabled \
    -Dzstd=disabled -Dvideo-codecs=
  quietly ninja -C "$cache/build/out" src/intel/tools/libintel_noop_drm_shim.so
  cp "$cache/build/out/src/intel/tools/libintel_noop_drm_shim.so" "$cache/"
  rm -rf "$cache/build"
)

mesa_amd64() { step trixie-amd64 'Mesa 25.0 for amd64 (20 s, 107 MB on disk)' amd64 trixie; }
new_amd64() { step forky-amd64 'Mesa 26 for amd64 (15 s, 149 MB on disk)' amd64 forky; }
shim() { step intel-shim "Intel's shim, built from Mesa's source (2 to 5 min, 1 MB on disk)" intel_shim; }
qemu() { step qemu 'qemu-user (10 s, 10 MB on disk)' emulator; }

# Drivers of trixie's Mesa unless only forky's has what is needed.
for vendor in "$@"; do
  case $vendor in
    nvidia) mesa_amd64 ;;
    intel) mesa_amd64; shim ;;
    adreno | mali) qemu; step trixie-arm64 'Mesa 25.0 and Node for arm64 (30 s, 220 MB on disk)' arm64 trixie ;;
    apple) qemu; step forky-arm64 'Mesa 26 and Node for arm64 (35 s, 317 MB on disk)' arm64 forky ;;
    new-nvidia) new_amd64 ;;
    new-intel) new_amd64; shim ;;
    *) fail "unknown vendor $vendor" ;;
  esac
done
[ -z "${checked-}" ] || rm -rf "$cache/apt" # another run may use it if this one has set up nothing
