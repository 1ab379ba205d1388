import type { BenchContext } from '../suite.js';
import { exportModel, exportWithoutPython, type ExportedModel } from './exported-model.js';
import { infinityPeers } from './infinity.js';
import { installPythonPeers, installTransformersJs, type PythonPeers, TRANSFORMERS_JS } from './installation.js';
import { Absent, type Peer } from './peer.js';
import { withoutPaths } from './peers-folder.js';
import { sentenceTransformersPeers } from './sentence-transformers.js';
import { TRANSFORMERS_JS_CUT, transformersJsPeers } from './transformers-js.js';

/** The peers that can be measured on this machine, and a remark for each that cannot, or that is set up differently. */
export interface Available {
  readonly peers: readonly Peer[];
  /** `torch 2.15.0`. */
  readonly versions: readonly string[];
  readonly remarks: readonly string[];
}

/** Installs and exports what is missing. A peer that cannot be installed is left out; that is not an error. */
export async function availablePeers(context: BenchContext): Promise<Available> {
  const peers: Peer[] = [];
  const versions: string[] = [];
  const remarks: string[] = [];
  const absent = (what: string, error: unknown) => {
    if (!(error instanceof Absent)) throw error;
    const line = withoutPaths(`${what} absent: ${error.message}.`);
    context.say(line);
    remarks.push(line);
  };

  const python = await pythonSide(context).catch((error: unknown) => absent('Python peers are', error));
  try {
    const library = await installTransformersJs(context.say);
    const graph = python?.model.onnx ?? (await exportWithoutPython(await context.model('fp32')));
    if (!python) remarks.push('transformers.js runs the graph of our own compiler, cut off before its pooling.');
    peers.push(
      ...transformersJsPeers({ library, model: graph, quantized: python !== undefined, threads: context.threads }),
    );
    versions.push(`transformers.js ${TRANSFORMERS_JS}`);
    remarks.push(TRANSFORMERS_JS_CUT);
  } catch (error) {
    absent('transformers.js is', error);
  }
  if (python) {
    peers.push(...sentenceTransformersPeers(python.installed, python.model, context.threads));
    peers.push(...infinityPeers(python.installed, python.model, context.threads));
    versions.push(`Python ${python.installed.version}`, ...python.installed.packages);
  }
  return { peers, versions, remarks };
}

async function pythonSide(
  context: BenchContext,
): Promise<{ readonly installed: PythonPeers; readonly model: ExportedModel }> {
  const installed = await installPythonPeers(context.say);
  const { card } = await context.model('fp32');
  try {
    return { installed, model: await exportModel(installed, card.maxTokens) };
  } catch (error) {
    throw new Absent(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
