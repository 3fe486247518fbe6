/** A service that failed must not leave sockets with systemd: nobody would answer there, and clients would wait. */
export async function releaseDescriptors(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  if (env.LISTEN_FDNAMES === undefined) return;
  const { dropPassedDescriptors } = await import('../system/descriptor-store.ts');
  dropPassedDescriptors(env);
}
