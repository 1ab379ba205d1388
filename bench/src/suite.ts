import type { Dtype, ServedModel } from '#contracts';
import type { RunnableModel } from '#model';

/** A suite measures one subject; everything whose ratio it reports runs side by side in it. */
export interface Suite {
  readonly name: string;
  readonly title: string;
  run(context: BenchContext): Promise<Section>;
}

export interface BenchContext {
  /** Times everything is repeated. */
  readonly runs: number;
  /** Scales the amount of work; 1 for figures to be published, less for a look. */
  readonly scale: number;
  /** Intra-op threads of every engine, ours and others'. */
  readonly threads: number;
  /** Where models and compiled graphs lie. */
  readonly modelDir: string;
  /** As `EMBED_MODELS` has it. */
  readonly served: ServedModel;
  /** The served model, compiled once for each dtype. */
  model(dtype: Dtype): Promise<RunnableModel>;
  /** Progress, one line. */
  say(line: string): void;
}

/** What a suite found, as it is kept in `bench/results/NAME.json`. */
export interface Section {
  readonly title: string;
  /** What was done, for readers of the table; Markdown. */
  readonly about: string;
  readonly figures: readonly Figure[];
  readonly tables: readonly Table[];
  /** What a reader should know of these figures; Markdown, one paragraph each. */
  readonly notes?: readonly string[];
}

/** A figure with one value for each run. Ratios are formed within a run. */
export interface Figure {
  readonly name: string;
  readonly values: readonly number[];
  /** `''` for a ratio. */
  readonly unit: string;
  readonly decimals?: number;
  /** What was set out to be reached. */
  readonly target?: { readonly least: number } | { readonly most: number };
}

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  /** Formatted cells; the first names the row. */
  readonly rows: readonly (readonly string[])[];
}
