export interface ChoiceProps<T> {
  /** What the user chooses here, for screen readers. */
  readonly label: string;
  readonly options: readonly T[];
  readonly name: (option: T) => string;
  readonly chosen: T;
  readonly choose: (option: T) => void;
}

/** A row of buttons, one of which is pressed. */
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
