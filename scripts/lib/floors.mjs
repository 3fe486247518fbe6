import { createRequire } from 'node:module';

const { mayUse, rooms } = createRequire(import.meta.url)('./rooms.cjs');

/** A room is one floor above the highest room that it may import. The ground floor is 0. */
function floorOf(room) {
  return mayUse[room].length === 0 ? 0 : 1 + Math.max(...mayUse[room].map(floorOf));
}

/**
 * @returns {string} the rooms by floor, the top floor first, each with the rooms of the next floor down that it may
 *   import
 */
export function pictureOf() {
  const highest = Math.max(...rooms.map(floorOf));
  const floors = Array.from({ length: highest + 1 }, (_, index) => highest - index);
  const lines = floors.map((floor) => {
    const here = rooms.filter((room) => floorOf(room) === floor);
    const room = (name) => {
      const below = mayUse[name].filter((used) => floorOf(used) === floor - 1);
      return floor === 0 ? name : `${name} → ${below.join(', ')}`;
    };
    return `${String(floor).padStart(2)} │ ${here.map(room).join('   ')}`;
  });
  return lines.join('\n');
}
