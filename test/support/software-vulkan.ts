import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** SwiftShader, a Vulkan device in software that Debian's package chromium brings. */
const SWIFTSHADER = '/usr/lib/chromium';
/** Where the loader of Debian's package libvulkan1 may be. */
const LIBRARIES = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib'];

/**
 * The variables with which a process finds a Vulkan device in software; null where there is none. They must be set when
 * the process begins.
 */
export function softwareVulkan(): NodeJS.ProcessEnv | null {
  const given = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter((folder) => folder !== '');
  const loader = [...given, ...LIBRARIES].some((folder) => existsSync(join(folder, 'libvulkan.so.1')));
  const device = join(SWIFTSHADER, 'vk_swiftshader_icd.json');
  if (!loader || !existsSync(device)) return null;
  return { ...process.env, LD_LIBRARY_PATH: [SWIFTSHADER, ...given].join(':'), VK_ICD_FILENAMES: device };
}
