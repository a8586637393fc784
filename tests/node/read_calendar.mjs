// Reads a calendar file as a client would, with ical.js: what each event says, and whether it is whole.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
const events = calendar.getAllSubcomponents("vevent").map((component) => {
  const event = new ICAL.Event(component);
  const text = (name) => component.getFirstPropertyValue(name)?.toString() ?? null;
  return {
    uid: event.uid,
    sequence: event.sequence,
    status: text("status"),
    summary: event.summary,
    description: event.description,
    location: event.location,
    organizer: event.organizer,
    url: text("url"),
    days: event.startDate.isDate ? [event.startDate.toString(), event.endDate.toString()] : null,
    start: event.startDate.toJSDate().toISOString(),
    stamp: component.getFirstPropertyValue("dtstamp").toJSDate().toISOString(),
    alarms: component.getAllSubcomponents("valarm").map((alarm) => alarm.getFirstPropertyValue("trigger").toString()),
  };
});
console.log(JSON.stringify({ method: calendar.getFirstPropertyValue("method"), events }));
