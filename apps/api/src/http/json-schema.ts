import type { ApiBodyOptions } from '@nestjs/swagger';
import { z } from 'zod';

type SchemaObject = Extract<ApiBodyOptions, { schema: unknown }>['schema'];

/** Converts a Zod schema to OpenAPI 3.0, so that the reference documents what the code validates. */
export function jsonSchema(schema: z.ZodType, side: 'input' | 'output'): SchemaObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'openapi-3.0', io: side, unrepresentable: 'any' });
  return rest as SchemaObject;
}
