import { startDeployment } from '../deployment.js';
import { clientOf, finish } from '../jobs.js';
import type { BenchContext } from '../suite.js';
import type { Peer } from './peer.js';

/** Embedmill, measured like the other peers: from the upload to the last vector read back. */
export function ours(context: BenchContext, dtype: 'fp32' | 'int8'): Peer {
  const kind = `Embedmill, ${dtype}`;
  return {
    name: `${kind}: REST to vectors read back`,
    kind,
    dtype,
    async start() {
      const deployment = await startDeployment(context, { dtype });
      const client = clientOf(deployment.url);
      const model = context.served.name;
      return {
        async embed(texts) {
          const began = performance.now();
          const { id } = await finish(client, await client.jobs.create({ model, input: texts }));
          const vectors = await client.jobs.results.vectors(id);
          return { seconds: (performance.now() - began) / 1000, vectors };
        },
        stop: () => deployment.stop(),
      };
    },
  };
}
