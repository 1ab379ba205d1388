export interface ChoiceProps<T> {
  /** What is chosen, for screen readers. */
  readonly label: string;
  readonly options: readonly T[];
  readonly name: (option: T) => string;
  readonly chosen: T;
  readonly choose: (option: T) => void;
}

/** A row of buttons of which one is pressed. */
export function Choice<T>({ label, options, name, chosen, choose }: ChoiceProps<T>) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map((option) => (
        <button key={name(option)} type="button" aria-pressed={option === chosen} onClick={() => choose(option)}>
          {name(option)}
        </button>
      ))}
    </div>
  );
}
