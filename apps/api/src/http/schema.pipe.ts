import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { z } from 'zod';
import { parse } from './parse.js';

/** Validates handler parameters that declare a schema: `@Query({ schema })`, `@Body({ schema })`. */
export class SchemaPipe implements PipeTransform {
  /** @throws ApiError 400 naming the field, what it must be and what it is */
  transform(value: unknown, { schema }: ArgumentMetadata): unknown {
    return schema instanceof z.ZodType ? parse(schema, value) : value;
  }
}
