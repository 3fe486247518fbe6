// The control files of the Debian package.

/** dpkg's name of an architecture, by Node.js's name. */
export const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };

/** Debian's own variables name the maintainer of a package (debchange(1)). */
export function maintainerOf({ DEBFULLNAME, DEBEMAIL }) {
  return `${DEBFULLNAME || 'The healthctl authors'} <${DEBEMAIL || 'healthctl@localhost.localdomain'}>`;
}

export function controlText({ version, architecture, maintainer, installedKiB }) {
  return `Package: healthctl
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${installedKiB}
Depends: nodejs (>= 20), containerd | containerd.io, libc6, libstdc++6
Recommends: containernetworking-plugins, iptables
Suggests: tini
Section: admin
Priority: optional
Description: container health checks for any containerd host
 healthctl runs containers on containerd with the commands and options of
 Docker, and checks their health as Docker does: on schedule, with a start
 period and retries, by a command in the container or by HTTP, TCP or gRPC.
 .
 A monitor makes the checks, for the containers of nerdctl and ctr too, and
 restarts, stops or kills a container that becomes unhealthy where that is
 wanted.
`;
}

const UNIT = 'healthctl.service';

/*
 * Debian's custom for services (deb-systemd-helper(1p), deb-systemd-invoke(1p)): they are enabled and started at
 * installation, unless a preset, policy-rc.d or a mask of the administrator forbids it; restarted by an upgrade once
 * the new files are there, so that checks pause only for a moment; and stopped before their files are removed.
 */
export const SCRIPTS = {
  postinst: `#!/bin/sh
set -e

if [ "$1" = configure ] || [ "$1" = abort-upgrade ] || [ "$1" = abort-deconfigure ] || [ "$1" = abort-remove ]; then
	# Where the host has AppArmor: the monitor may not load the profile of its containers itself.
	if aa-enabled --quiet 2>/dev/null; then
		apparmor_parser --replace --write-cache --skip-bad-cache /etc/apparmor.d/healthctl-default || true
	fi
	if command -v deb-systemd-helper >/dev/null; then
		deb-systemd-helper unmask ${UNIT} >/dev/null || true
		if deb-systemd-helper --quiet was-enabled ${UNIT}; then
			deb-systemd-helper enable ${UNIT} >/dev/null || true
		else
			deb-systemd-helper update-state ${UNIT} >/dev/null || true
		fi
	fi
	if [ -d /run/systemd/system ]; then
		systemctl --system daemon-reload >/dev/null || true
		# One that the administrator has disabled stays as it is.
		deb-systemd-invoke restart ${UNIT} >/dev/null || true
	fi
fi
`,
  prerm: `#!/bin/sh
set -e

if [ "$1" = remove ]; then
	if [ -d /run/systemd/system ]; then
		deb-systemd-invoke stop ${UNIT} >/dev/null || true
	fi
	# A monitor that a command has started, without systemd.
	healthctl daemon stop >/dev/null 2>&1 || true
fi
`,
  postrm: `#!/bin/sh
set -e

if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload >/dev/null || true
fi

if [ "$1" = remove ] || [ "$1" = purge ]; then
	# Compiled forms of the program, which it writes itself.
	rm -rf /var/lib/healthctl/compile-cache
fi

if [ "$1" = remove ] && command -v deb-systemd-helper >/dev/null; then
	deb-systemd-helper mask ${UNIT} >/dev/null || true
fi

if [ "$1" = purge ]; then
	if command -v deb-systemd-helper >/dev/null; then
		deb-systemd-helper purge ${UNIT} >/dev/null || true
		deb-systemd-helper unmask ${UNIT} >/dev/null || true
	fi
	# Volumes, output of containers and networks are not the package's: "healthctl uninstall --purge" removes them before.
	for directory in /var/lib/healthctl /run/healthctl /etc/healthctl; do
		[ ! -d $directory ] || rmdir --ignore-fail-on-non-empty $directory
	done
fi
`,
};

export const CONFFILES = '/etc/apparmor.d/healthctl-default\n';

/** Debian has the text of this licence once for all packages. */
const APACHE =
  /^ *Apache License\n *Version 2\.0.*?END OF TERMS AND CONDITIONS[^\n]*(?:\n.*?limitations under the License\.)?$/gms;

/** The licences of healthctl and of everything that is bundled or shipped with it, from THIRD-PARTY-NOTICES. */
export function copyrightText(thirdParty) {
  const notices = thirdParty.replace(APACHE, 'The text is in /usr/share/common-licenses/Apache-2.0.');
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: healthctl

Files: *
Copyright: The healthctl authors
License: Apache-2.0

License: Apache-2.0
 On Debian systems the text of the Apache License, Version 2.0, is in
 /usr/share/common-licenses/Apache-2.0.

Files: /usr/lib/healthctl/dist/* /usr/lib/healthctl/node_modules/*
Copyright: the authors of the packages below
License: packages-below
 The program contains the packages of THIRD-PARTY-NOTICES, which follows, each
 under the licence that it gives.

Comment:
${notices
  .trimEnd()
  .split('\n')
  .map((line) => (line.trim() === '' ? ' .' : ` ${line}`))
  .join('\n')}
`;
}

export function changelogText({ version, maintainer, seconds }) {
  const date = new Date(seconds * 1000).toUTCString().replace('GMT', '+0000');
  return `healthctl (${version}) unstable; urgency=medium

  * The changes are in changelog.gz beside this file.

 -- ${maintainer}  ${date}
`;
}

/** env -S gives Node.js its options (bin/healthctl). */
export const LINTIAN_OVERRIDES = 'healthctl: unusual-interpreter -S [usr/lib/healthctl/bin/healthctl]\n';
