#!/bin/sh
# Prepares the Autobahn test suite in a virtual environment of its own and prints the path of `wstest`.
#
# The suite is Python 2.7 code, so a CPython 2.7 is needed: `python2.7` on PATH, or version 2.7.18 known to `pyenv`.
# Everything is pinned and cached; a second run does nothing. Cache: ${WHARF_CACHE:-$HOME/.cache/wharf}/autobahn
set -eu

cache="${WHARF_CACHE:-$HOME/.cache/wharf}/autobahn"
env="$cache/env"
# Raise this number whenever a pin below changes: an older environment is then built anew.
recipe=1
stamp="$cache/ready-$recipe"

if [ -e "$stamp" ] && [ -x "$env/bin/wstest" ]; then
    echo "$env/bin/wstest"
    exit 0
fi

find_python() {
    if python2.7 -c 'pass' 2>/dev/null; then
        echo python2.7
    elif prefix=$(pyenv prefix 2.7.18 2>/dev/null) && [ -x "$prefix/bin/python2.7" ]; then
        echo "$prefix/bin/python2.7"
    else
        echo "autobahn: no CPython 2.7 found (python2.7 on PATH, or 'pyenv install 2.7.18')" >&2
        exit 69
    fi
}

python=$(find_python)
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_PYTHON_VERSION_WARNING=1
mkdir -p "$cache"
# One builder at a time: a second one waits here, then finds the stamp.
exec 9>"$cache/lock"
flock 9
if [ -e "$stamp" ] && [ -x "$env/bin/wstest" ]; then
    echo "$env/bin/wstest"
    exit 0
fi

rm -rf "$env" "$cache/virtualenv" "$cache"/ready-*
{
    "$python" -m pip install -q --target "$cache/virtualenv" virtualenv==20.15.1
    PYTHONPATH="$cache/virtualenv" "$python" -m virtualenv -q "$env"
    pip="$env/bin/pip install -q"
    # The old build back ends first: Twisted 19 cannot be built with newer ones.
    $pip setuptools==44.0.0 incremental==16.10.1
    $pip txaio==2.1.0 pyOpenSSL==19.1.0 cryptography==3.3.2 zope.interface==4.6.0 jinja2==2.11.3 \
        markupsafe==1.1.1 Werkzeug==1.0.1 klein==17.10.0 service_identity==18.1.0 unittest2==1.1.0 six==1.16.0
    $pip --no-build-isolation Twisted==19.10.0
    $pip autobahn==0.10.9
    # Masking and UTF-8 in C: group 9 takes a third of the time. Without a C compiler the suite is only slower.
    $pip 'cython<3' && $pip wsaccel==0.6.2 || echo "autobahn: no wsaccel, the suite will be slow" >&2
    $pip --no-deps autobahntestsuite==25.10.1
} >&2

"$env/bin/wstest" --autobahnversion >&2
touch "$stamp"
echo "$env/bin/wstest"
