import { isRow, rowFloats } from '#contracts';
import { readCorpus } from '../corpora.js';
import { dot, nearestOthers, normalized, overlap } from '../neighbours.js';
import type { BenchContext, Figure, Section, Suite } from '../suite.js';
import { startEngine } from './throughput.js';

const TEXTS = 5000;
/** Number of texts whose neighbours among all texts are determined. */
const QUERIES = 500;
const NEIGHBOURS = 10;
const DTYPES = ['fp16', 'int8'] as const;
type Dtype = (typeof DTYPES)[number];
/** Minimum values, from the project's goals. */
const LEAST = { meanCosine: 0.995, overlap: 0.97 };

interface Measured {
  readonly meanCosine: number;
  readonly leastCosine: number;
  readonly overlap: number;
}

/** How close the vectors of other dtypes are to those of fp32. One run is enough: only the last decimals vary. */
export const fidelity: Suite = {
  name: 'fidelity',
  title: 'Fidelity: fp16 and int8 against fp32',
  async run(context) {
    const texts = await readCorpus('short', Math.round(TEXTS * context.scale));
    const step = Math.max(1, Math.floor(texts.length / QUERIES));
    const exact = await embed(context, 'fp32', texts);
    const wanted = nearestOthers(exact, step, NEIGHBOURS);
    const measure = async (dtype: Dtype): Promise<Measured> => {
      const vectors = await embed(context, dtype, texts);
      const cosines = vectors.map((vector, index) => dot(vector, exact[index]!));
      return {
        meanCosine: cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length,
        leastCosine: cosines.reduce((least, cosine) => Math.min(least, cosine), 1),
        overlap: overlap(wanted, nearestOthers(vectors, step, NEIGHBOURS)),
      };
    };
    const measured = { fp16: await measure('fp16'), int8: await measure('int8') };
    return section(texts.length, wanted.length, measured);
  },
};

/** Computes a normalised vector for each text with the engine, in process. */
async function embed(context: BenchContext, dtype: Dtype | 'fp32', texts: readonly string[]): Promise<Float32Array[]> {
  context.say(`${dtype}: ${texts.length} texts`);
  const engine = await startEngine(context, await context.model(dtype));
  try {
    const inputs = texts.map((text) => [text] as const);
    const outcomes = await engine.run(inputs, { prompt: '', truncate: 'end', lane: 'bulk' });
    return outcomes.map((outcome) => {
      if (!isRow(outcome)) throw new Error(`the engine failed a text: ${outcome.message}`);
      return normalized(rowFloats(outcome));
    });
  } finally {
    await engine.close();
  }
}

function section(texts: number, queries: number, measured: Record<Dtype, Measured>): Section {
  const figures = DTYPES.flatMap((dtype): Figure[] => {
    const { meanCosine, leastCosine, overlap: shared } = measured[dtype];
    const figure = (name: string, value: number) => ({ name, values: [value], unit: '', decimals: 4 });
    return [
      { ...figure(`mean cosine, ${dtype}`, meanCosine), target: { least: LEAST.meanCosine } },
      figure(`least cosine, ${dtype}`, leastCosine),
      { ...figure(`same ${NEIGHBOURS} nearest neighbours, ${dtype}`, shared), target: { least: LEAST.overlap } },
    ];
  });
  return {
    title: fidelity.title,
    about: [
      `${texts.toLocaleString('en-US')} texts of the short corpus (dictionary glosses), embedded by the engine in process,`,
      `compared with the vectors of the compiler's own fp32 graph. Neighbours: the ${NEIGHBOURS} nearest by cosine among all`,
      `the texts, itself left out, of ${queries.toLocaleString('en-US')} of them; the share that fp32 has as well. Values`,
      "are of one run. int8's scales are a batch's own: what is batched together moves its last decimals.",
    ].join('\n'),
    figures,
    tables: [],
  };
}
