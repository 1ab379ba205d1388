/**
 * The supervisor preloads this into API and worker. If the supervisor is killed (kill -9), its end of the IPC channel
 * closes, and this process sends itself SIGTERM: otherwise nothing would be left to stop it.
 */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
