import { familiarRecordName } from '../image/reference.ts';
import { containerNameOf } from '../record/container-name.ts';
import { briefOf } from '../record/details.ts';
import { shownLabels, shownOf, unheldLabels } from '../record/shown-labels.ts';
import { startNoteOf } from '../record/view.ts';
import type { FactsReader } from './container-facts.ts';
import type { ContainerFacts } from './host-event.ts';

/** The facts about containers and images in events: the same as in `ps` and `inspect`. */
export const factsReader: FactsReader = {
  ofRecord: (record) => ({
    ...factsOfLabels(record.id, record.labels),
    labels: shownLabels(record),
    image: briefOf(record).image,
  }),
  ofLabels: (id, labels, known) => {
    const facts = factsOfLabels(id, labels);
    return { ...facts, labels: { ...unheldLabels(known.labels), ...facts.labels } };
  },
  imageName: familiarRecordName,
};

function factsOfLabels(id: string, labels: Readonly<Record<string, string>>): Omit<ContainerFacts, 'image'> {
  const note = startNoteOf(labels);
  const pid = Number(note?.run?.split(':')[1]);
  return {
    name: containerNameOf({ id, labels }),
    labels: shownOf(labels),
    ...(note && Number.isInteger(pid) ? { started: { pid, atMs: note.atMs } } : {}),
  };
}
