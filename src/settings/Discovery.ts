/** What the settings are once Kafka has said which topics there are: the templates' routes beside the named ones. */
import { withoutRegistry } from "../domain/Format.ts"
import * as Template from "../domain/Template.ts"
import type { Settings } from "./Settings.ts"

export const withTopics = (settings: Settings["Service"], topics: ReadonlyArray<string>): Settings["Service"] => {
  const { formats, routes } = settings
  const found = expand(settings, topics).routes
  const formatOf = (topic: string, template: string) => formats.get(topic) ?? formats.get(template) ?? withoutRegistry
  return {
    ...settings,
    routes: [...routes, ...found],
    formats: new Map([
      ...formats,
      ...found.map(({ template = "", topic }) => [topic, formatOf(topic, template)] as const)
    ])
  }
}

/** The topics that fit a template and cannot be read. */
export const refused = (settings: Settings["Service"], topics: ReadonlyArray<string>): Template.Expansion["refused"] =>
  expand(settings, topics).refused

const expand = ({ dlqTopic, routes, templates }: Settings["Service"], topics: ReadonlyArray<string>) =>
  Template.expand(
    templates,
    topics.filter((topic) => topic !== dlqTopic),
    routes
  )
