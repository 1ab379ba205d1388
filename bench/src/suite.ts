import type { Dtype, ServedModel } from '#contracts';
import type { RunnableModel } from '#model';

/** Measures one subject. Both sides of every ratio that it reports are measured in the same run. */
export interface Suite {
  readonly name: string;
  readonly title: string;
  run(context: BenchContext): Promise<Section>;
}

export interface BenchContext {
  /** Number of repetitions. */
  readonly runs: number;
  /** Scales the amount of work: 1 for published figures, less for a quick test. */
  readonly scale: number;
  /** Intra-op threads of every engine, ours and others'. */
  readonly threads: number;
  /** Folder of models and compiled graphs. */
  readonly modelDir: string;
  /** The first entry of `EMBED_MODELS`. */
  readonly served: ServedModel;
  /** The served model, loaded and compiled once for each dtype. */
  model(dtype: Dtype): Promise<RunnableModel>;
  /** Prints one line of progress. */
  say(line: string): void;
}

/** The results of a suite, as saved in `bench/results/NAME.json`. */
export interface Section {
  readonly title: string;
  /** What was measured and how, for readers of the tables; Markdown. */
  readonly about: string;
  readonly figures: readonly Figure[];
  readonly tables: readonly Table[];
  /** Remarks on the figures; Markdown, one paragraph each. */
  readonly notes?: readonly string[];
}

/** A figure with one value for each run. Both sides of a ratio come from the same run. */
export interface Figure {
  readonly name: string;
  readonly values: readonly number[];
  /** `''` for a ratio. */
  readonly unit: string;
  readonly decimals?: number;
  /** The project's goal. */
  readonly target?: { readonly least: number } | { readonly most: number };
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  /** Formatted cells; the first names the row. */
  readonly rows: readonly (readonly string[])[];
}
