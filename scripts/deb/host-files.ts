// Writes the text files that the Debian package puts on the host, with the code that the program itself uses: the
// monitor's unit, the AppArmor profile, and the completion scripts.
//   node --import tsx scripts/deb/host-files.ts DIR
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SCRIPTS } from '../../src/cli/completion/scripts.ts';
import { loadSettings } from '../../src/cli/config/config.ts';
import { NODE_FLAGS } from '../../src/daemon/node-process.ts';
import { unitNameOf, unitTextOf } from '../../src/daemon/service-unit/unit.ts';
import { APPARMOR_PROFILE_TEXT, DEFAULT_APPARMOR_PROFILE } from '../../src/system/apparmor.ts';

const root = process.argv[2] ?? '.';
// Only defaults: no configuration file of the machine is read.
const settings = await loadSettings({}, { HEALTHCTL_TOML: '/dev/null' });
const program = ['/usr/bin/node', ...NODE_FLAGS, '--', '/usr/lib/healthctl/bin/healthctl'];
const files = {
  [`usr/lib/systemd/system/${unitNameOf(settings.address)}`]: unitTextOf({ settings, program, configFile: undefined }),
  [`etc/apparmor.d/${DEFAULT_APPARMOR_PROFILE}`]: APPARMOR_PROFILE_TEXT,
  'usr/share/bash-completion/completions/healthctl': SCRIPTS.bash,
  'usr/share/zsh/vendor-completions/_healthctl': SCRIPTS.zsh,
  'usr/share/fish/vendor_completions.d/healthctl.fish': SCRIPTS.fish,
};
for (const [path, text] of Object.entries(files)) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
