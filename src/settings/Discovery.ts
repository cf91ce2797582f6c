/** What the settings are once Kafka has said which topics there are: the templates' routes beside the named ones. */
import { withoutRegistry } from "../domain/Format.ts"
import * as Template from "../domain/Template.ts"
import type { Settings } from "./Settings.ts"

/** The settings with these topics, and those of them that fit a template and cannot be read. */
export const expand = (
  settings: Settings["Service"],
  topics: ReadonlyArray<string>
): { readonly settings: Settings["Service"]; readonly refused: Template.Expansion["refused"] } => {
  const { dlqTopic, formats, routes, templates } = settings
  const found = Template.expand(
    templates,
    topics.filter((topic) => topic !== dlqTopic),
    routes
  )
  const formatOf = (topic: string, template: string) => formats.get(topic) ?? formats.get(template) ?? withoutRegistry
  const grown = {
    ...settings,
    routes: [...routes, ...found.routes],
    formats: new Map([
      ...formats,
      ...found.routes.map(({ template = "", topic }) => [topic, formatOf(topic, template)] as const)
    ])
  }
  return { settings: grown, refused: found.refused }
}

export const withTopics = (settings: Settings["Service"], topics: ReadonlyArray<string>): Settings["Service"] =>
  expand(settings, topics).settings
