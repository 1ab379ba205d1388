import { z } from 'zod';

/** Why one input has no row. Codes are stable; the message says what to do. */
export const textErrorSchema = z.object({
  code: z.enum([
    'text_too_long',
    'text_too_complex',
    'prompt_too_long',
    'inference_failed',
    'model_changed',
    'task_failed',
    'cancelled',
  ]),
  message: z.string(),
});
export type TextError = z.infer<typeof textErrorSchema>;
