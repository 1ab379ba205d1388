/** The product's logo. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <circle cx="16" cy="16" r="13.5" />
      <circle cx="16" cy="16" r="3" class="eye" />
      <path d="M16 10c3-4 6-5 9-4M22 16c4 3 5 6 4 9M16 22c-3 4-6 5-9 4M10 16c-4-3-5-6-4-9" />
    </svg>
  );
}
