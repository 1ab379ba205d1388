import { applyDecorators } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import type { z } from 'zod';
import { jsonSchema } from './json-schema.js';

/** Documents every field of a query schema in OpenAPI, as optional. */
export function ApiQueryOf(schema: z.ZodObject, description?: string): MethodDecorator {
  return applyDecorators(
    ...Object.entries(schema.shape).map(([name, field]) =>
      ApiQuery({
        name,
        required: false,
        schema: jsonSchema(field as z.ZodType, 'input'),
        ...(description === undefined ? {} : { description }),
      }),
    ),
  );
}
