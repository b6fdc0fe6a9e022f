import { expect } from 'chai';
import { scrub, scrubInvalid } from './scrub.ts';

/** Texts of a real API server (1.34), with CANARY where it echoes what was sent. */
const LEAKS: readonly { readonly text: string; readonly shown: string }[] = [
  {
    text: 'failed to create typed patch object (/a; /v1, Kind=Secret): .data.password: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"x":"CANARY"}}',
    shown:
      'failed to create typed patch object (/a; /v1, Kind=Secret): .data.password: expected string, got something else',
  },
  {
    text: 'failed to create typed patch object (/a; /v1, Kind=Secret): .stringData: expected map, got &{[CANARY]}',
    shown:
      'failed to create typed patch object (/a; /v1, Kind=Secret): .stringData: expected map, got something else',
  },
  {
    text: `Secret "a" is invalid: metadata.labels: Invalid value: "CANARY value!": a valid label must be an empty string (e.g. 'MyValue')`,
    shown: `Secret "a" is invalid: metadata.labels: Invalid value: a valid label must be an empty string (e.g. 'MyValue')`,
  },
  {
    text: 'Deployment.apps "a" is invalid: spec.selector: Invalid value: {"matchLabels":{"a":"CANARY: }, x"}}: field is immutable',
    shown: 'Deployment.apps "a" is invalid: spec.selector: Invalid value: field is immutable',
  },
  {
    text: 'Job "a" is invalid: spec.template: Invalid value: core.PodTemplateSpec{Env:[]core.EnvVar{Value:"CANARY", X: CANARY}}: field is immutable',
    shown: 'Job "a" is invalid: spec.template: Invalid value: field is immutable',
  },
  {
    text: 'Deployment.apps "a" is invalid: [spec.x: Unsupported value: "CANARY": supported values: "One", "Two", spec.y: Duplicate value: "CANARY"]',
    shown:
      'Deployment.apps "a" is invalid: [spec.x: Unsupported value: supported values: "One", "Two", spec.y: Duplicate value]',
  },
  {
    text: 'Secret in version "v1" cannot be handled as a Secret: v1.Secret.Data: base64Codec: invalid input, error found in #10 byte of ...|ssword":"CANARY"}|..., bigger context ...|CANARY|...',
    shown: 'Secret in version "v1" cannot be handled as a Secret: v1.Secret.Data: base64Codec: invalid input',
  },
  {
    text: 'unable to convert: parsing time "CANARY" as "2006-01-02T15:04:05Z07:00": cannot parse "CANARY" as "2006"',
    shown: 'unable to convert: parsing a time',
  },
  {
    text: 'strconv.ParseInt: parsing "CANARY": invalid syntax',
    shown: 'strconv.ParseInt: parsing a value: invalid syntax',
  },
  {
    text: 'json: cannot unmarshal number 12345678901234567890 into Go struct field X.y of type int32',
    shown: 'json: cannot unmarshal a number into Go struct field X.y of type int32',
  },
];

describe('scrub', () => {
  for (const { text, shown } of LEAKS) {
    it(`shows "${shown.slice(0, 60)}…" without the value`, () => {
      expect(scrub(text)).to.equal(shown);
    });
  }

  it('keeps names of managers and fields of a conflict', () => {
    const text = 'Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas';

    expect(scrub(text)).to.equal(text);
  });

  it('drops a value that never ends to the end of the text', () => {
    expect(scrub('spec.a: Invalid value: "CANARY and more')).to.equal('spec.a: Invalid value');
  });

  it('keeps the type that was found when it is a plain word', () => {
    const text = '.spec.replicas: expected numeric (int or float), got string';

    expect(scrub(text)).to.equal(text);
  });

  it('makes one line of several and cuts long texts', () => {
    const shown = scrub(`a\n\u001b[31mb${'c'.repeat(1000)}`);

    expect(shown).to.match(/^a \[31mbc+…$/);
    expect(shown).to.have.length(600);
  });
});

describe('scrubInvalid', () => {
  it('drops quoted words that are no names, fields or choices', () => {
    const text =
      'Deployment.apps "istiod" is invalid: the value "CANARY" of field "spec.x" in [name="discovery"] is odd';

    const shown = scrubInvalid(text, ['istiod']);

    expect(shown).to.equal(
      'Deployment.apps "istiod" is invalid: the value "…" of field "spec.x" in [name="discovery"] is odd',
    );
  });

  it('keeps the unknown field and the type that schema validation names', () => {
    const text =
      'strict decoding error: unknown field "spec.replicass", spec.a in body must be of type integer: "string"';

    expect(scrubInvalid(text, [])).to.equal(text);
  });
});
