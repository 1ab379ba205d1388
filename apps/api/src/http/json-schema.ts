import type { ApiBodyOptions } from '@nestjs/swagger';
import { z } from 'zod';

type SchemaObject = Extract<ApiBodyOptions, { schema: unknown }>['schema'];

/** A schema's OpenAPI form, so that the reference page says what the code checks. */
export function jsonSchema(schema: z.ZodType, side: 'input' | 'output'): SchemaObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'openapi-3.0', io: side, unrepresentable: 'any' });
  return rest as SchemaObject;
}
