/**
 * From a template and a view to an object. Templates lay out, TypeScript decides: a template may only print values of
 * its view through helpers that encode them, so that no text of a user can become structure.
 */
import Handlebars from 'handlebars';
import { TEMPLATE_OPTIONS } from '../../model/assets.ts';
import type { TemplateSource } from '../../model/assets.ts';
import { isJsonArray } from '../../model/json.ts';
import type { JsonValue } from '../../model/json.ts';
import type { K8sObject } from '../../model/object.ts';
import { isK8sObject } from '../../model/object.ts';
import { textOf, truthy } from '../go-values.ts';
import { readYaml } from '../yaml.ts';

/** A template is wrong, or was handed a wrong view: a fault of ours, never of a user. */
export class RenderError extends Error {
  override readonly name = 'RenderError';
}

export interface Renderer {
  /** Renders one object. Throws RenderError that names the template and, where known, the line. */
  render(template: string, view: Readonly<Record<string, JsonValue>>): K8sObject;
}

/** Templates are compiled when they are first used and kept: start-up pays only for what is rendered. */
export function createRenderer(templates: ReadonlyMap<string, TemplateSource>): Renderer {
  const environment = createEnvironment();
  const compiled = new Map<string, Handlebars.TemplateDelegate>();

  function delegate(name: string): Handlebars.TemplateDelegate {
    const known = compiled.get(name);
    if (known !== undefined) return known;
    const source = templates.get(name);
    if (source === undefined) throw new RenderError(`there is no template ${name}`);
    const made =
      source.kind === 'text'
        ? environment.compile(source.text, TEMPLATE_OPTIONS)
        : // Made by Handlebars.precompile of the same version at build time.
          environment.template(source.spec as TemplateSpecification);
    compiled.set(name, made);
    return made;
  }

  return {
    render(name, view) {
      const text = printed(name, delegate(name), view);
      return parsed(name, text);
    },
  };
}

function printed(name: string, template: Handlebars.TemplateDelegate, view: object): string {
  try {
    return template(view);
  } catch (error) {
    throw new RenderError(`template ${name}: ${messageOf(error)}`, { cause: error });
  }
}

function parsed(name: string, text: string): K8sObject {
  try {
    const value = readYaml(text);
    if (isK8sObject(value)) return value;
  } catch (error) {
    throw new RenderError(`template ${name} does not print YAML: ${messageOf(error)}`, { cause: error });
  }
  throw new RenderError(`template ${name} does not print an object with apiVersion, kind and a name`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

type TemplateSpecification = Parameters<typeof Handlebars.template>[0];

function createEnvironment(): typeof Handlebars {
  const environment = Handlebars.create();
  environment.registerHelper('yaml', (...call: readonly unknown[]) => encoded(defined(call)));
  environment.registerHelper('text', (...call: readonly unknown[]) => encoded(textOf(defined(call))));
  environment.registerHelper('optional', optional);
  environment.registerHelper('if', function (this: unknown, ...call: readonly unknown[]) {
    return block(this, call, truthy(defined(call)));
  });
  environment.registerHelper('unless', function (this: unknown, ...call: readonly unknown[]) {
    return block(this, call, !truthy(defined(call)));
  });
  environment.registerHelper('each', each);
  return environment;
}

/** The last thing that Handlebars hands to a helper, after its arguments. */
interface HelperOptions {
  readonly fn: (context: unknown, options?: object) => string;
  readonly inverse: (context: unknown) => string;
  readonly data: object;
  readonly name: string;
  readonly loc?: { readonly start: { readonly line: number; readonly column: number } };
}

function optionsOf(call: readonly unknown[]): HelperOptions {
  // Handlebars always passes its options last.
  return call.at(-1) as HelperOptions;
}

/** The value of a helper's last argument; handlebars' strict mode does not reach the arguments of helpers. */
function defined(call: readonly unknown[]): JsonValue {
  const value = call.at(-2);
  if (value !== undefined && call.length >= 2) return value as JsonValue;
  const { name, loc } = optionsOf(call);
  const place = loc === undefined ? '' : ` at ${loc.start.line}:${loc.start.column}`;
  throw new RenderError(`the value of {{${name} …}}${place} is not in the view`);
}

/** Any value as JSON, which is YAML on one line: it fits wherever a value may stand, at any indentation. */
function encoded(value: JsonValue): string {
  return JSON.stringify(value);
}

/** `{{optional "replicas" replicas}}`: the field, or nothing when its value is null. */
function optional(...call: readonly unknown[]): string {
  const value = defined(call);
  return value === null ? '' : `${String(call[0])}: ${encoded(value)}`;
}

function block(context: unknown, call: readonly unknown[], condition: boolean): string {
  const options = optionsOf(call);
  return condition ? options.fn(context) : options.inverse(context);
}

function each(this: unknown, ...call: readonly unknown[]): string {
  const list = defined(call);
  if (!isJsonArray(list)) throw new RenderError(`{{#each}} needs a list, not ${JSON.stringify(list)}`);
  const options = optionsOf(call);
  return list.map((item) => options.fn(item, { data: options.data, blockParams: [item] })).join('');
}
