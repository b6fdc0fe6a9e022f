/** The schemas that are checked, and Ajv as it is set up for them: at start in the source tree, else at build time. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Options } from 'ajv/dist/2020.js';
import type { AssetBundle } from '../model/assets.ts';
import type { JsonObject } from '../model/json.ts';
import { closedSchema } from './closed-schema.ts';
import { validateWith } from './schema-errors.ts';

type Validators = Pick<AssetBundle, 'validateSpec' | 'validateValues'>;

/** The schema behind each validator of the bundle. */
export function checkedSchemas(
  schemas: Pick<AssetBundle, 'specSchema' | 'valuesSchema'>,
): Readonly<Record<keyof Validators, JsonObject>> {
  return { validateSpec: closedSchema(schemas.specSchema), validateValues: schemas.valuesSchema };
}

/** An Ajv that reports every error and takes keywords that it does not know for annotations. */
export function schemaCompiler(options: Options = {}): Ajv2020 {
  return new Ajv2020({
    allErrors: true,
    inlineRefs: false,
    strict: false,
    validateFormats: false,
    logger: false,
    ...options,
  });
}

/** Compiles both validators. Generates code from strings, so the bundle has them compiled beforehand. */
export function compileValidators(schemas: Pick<AssetBundle, 'specSchema' | 'valuesSchema'>): Validators {
  const compiler = schemaCompiler();
  const { validateSpec, validateValues } = checkedSchemas(schemas);
  return {
    validateSpec: validateWith(compiler.compile(validateSpec)),
    validateValues: validateWith(compiler.compile(validateValues)),
  };
}
