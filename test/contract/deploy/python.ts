/**
 * The Python that checks deploy/, with what requirements.txt pins, installed once under .cache; and what YAML files
 * hold, read with it.
 */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Schema from "effect/Schema"
import { runOrThrow } from "../../../scripts/support/command.ts"
import { projectRoot } from "../../../scripts/support/paths.ts"
import * as Python from "../../../scripts/support/python.ts"

const here = fileURLToPath(new URL(".", import.meta.url))

/** The folder of its programs. */
export const installPython = (): Promise<string> =>
  Python.installPython("deploy", "the validators of deploy/", join(here, "requirements.txt"))

/** Runs a script or, after "-m", a module; throws with its output when it does not like what it sees. */
export const python = async (...args: ReadonlyArray<string>): Promise<string> =>
  runOrThrow(join(await installPython(), "python"), args)

const Answer = Schema.Record(
  Schema.String,
  Schema.Struct({ documents: Schema.Array(Schema.Unknown), problems: Schema.Array(Schema.String) })
)
const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Answer))

export type Read = (typeof Answer.Type)[string]

/**
 * The documents of a YAML file, named from the project's root, and what Kubernetes' and KEDA's schemas say against
 * them.
 */
export const readYaml = async (path: string): Promise<Read> => {
  const file = join(projectRoot, path)
  const read = decode(await python(join(here, "documents.py"), file))[file]
  if (read === undefined) throw new Error(`${path} was not read`)
  return read
}

/** The only document of a YAML file, as that schema has it. */
export const readOne = async <A>(path: string, schema: Schema.Codec<A, unknown>): Promise<A> => {
  const { documents } = await readYaml(path)
  if (documents.length !== 1) throw new Error(`${path} has ${documents.length} documents`)
  return Schema.decodeUnknownSync(schema)(documents[0])
}
