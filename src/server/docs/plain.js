// Lists the operations of openapi.json and sends them. Text from the description and from answers goes into the page
// as text only.
"use strict";

const element = (name, text, ...children) => {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
};

const field = (label, input) => {
  input.setAttribute("aria-label", label);
  return element("label", label + " ", input);
};

const resolve = (api, node) =>
  node && node.$ref ? resolve(api, node.$ref.slice(2).split("/").reduce((at, part) => at[part], api)) : node;

const example_of = (content) => {
  if (content.example !== undefined) return content.example;
  const first = Object.values(content.examples || {})[0];
  return first ? first.value : {};
};

const send = async (method, path, inputs, body, output) => {
  let target = path;
  const query = new URLSearchParams();
  const headers = {};
  for (const [parameter, input] of inputs) {
    if (input.value === "") continue;
    if (parameter.in === "path") target = target.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (parameter.in === "query") query.set(parameter.name, input.value);
    else headers[parameter.name] = input.value;
  }
  if (query.size !== 0 && String(query) !== "") target += "?" + query;
  const token = document.getElementById("token").value;
  if (token) headers.Authorization = "Bearer " + token;
  const request = { method, headers };
  if (body && body.value.trim() !== "") {
    headers["Content-Type"] = "application/json";
    request.body = body.value;
  }
  output.hidden = false;
  output.textContent = "…";
  try {
    const answer = await fetch(target, request);
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it is */ }
    output.textContent = `${answer.status} ${answer.statusText}\n\n${shown}`;
  } catch (error) {
    output.textContent = String(error);
  }
};

const operation_view = (api, path, method, operation) => {
  const inputs = [];
  const summary = element("summary", "", element("b", method.toUpperCase()), path, element("i", operation.summary || ""));
  const view = element("details", "", summary);
  if (operation.description) view.append(element("p", operation.description));
  for (const one of operation.parameters || []) {
    const parameter = resolve(api, one);
    const input = element("input");
    input.placeholder = parameter.description || "";
    inputs.push([parameter, input]);
    view.append(field(parameter.name + (parameter.required ? " *" : ""), input));
  }
  let body = null;
  const content = resolve(api, operation.requestBody)?.content?.["application/json"];
  if (content) {
    body = element("textarea");
    body.value = JSON.stringify(example_of(content), null, 2);
    view.append(field("body", body));
  }
  const output = element("pre");
  output.hidden = true;
  const button = element("button", "Send");
  button.addEventListener("click", () => send(method.toUpperCase(), path, inputs, body, output));
  const answers = element("table");
  for (const [status, one] of Object.entries(operation.responses)) {
    answers.append(element("tr", "", element("td", status), element("td", resolve(api, one).description)));
  }
  view.append(button, output, answers);
  return view;
};

const show = async () => {
  const api = await (await fetch("/openapi.json")).json();
  document.getElementById("about").textContent = api.info.summary || "";
  const groups = new Map((api.tags || []).map((tag) => [tag.name, []]));
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation_view(api, path, method, operation));
    }
  }
  const main = document.getElementById("operations");
  for (const [tag, views] of groups) main.append(element("h2", tag), ...views);
};

show().catch((error) => { document.getElementById("about").textContent = String(error); });
