// The campaign pages: asks before something is started or stopped, and shows how far an upload is.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);

  // A field with data-confirm-when names numbers, and what it does with one of them is asked about.
  function typed(button) {
    const field = button.form && button.value !== "send_digits" && $("[data-confirm-when]", button.form);
    const number = field && /^[\d\s().+-]+$/.test(field.value) && field.value.replace(/\D/g, "");
    return number && field.dataset.confirmWhen.split(" ").includes(number) && field.dataset;
  }

  // A button with data-confirm is asked about in the page's own dialog; Escape and "go back" do nothing.
  document.addEventListener("htmx:confirm", (event) => {
    const button = event.detail.triggeringEvent?.submitter ?? event.detail.elt, dialog = $("#confirm");
    const asks = button.dataset?.confirm ? button.dataset : typed(button);
    if (!asks || !dialog) return;
    event.preventDefault();
    $("#confirm-title").textContent = asks.confirmTitle;
    $("#confirm-text").textContent = asks.confirm;
    $("#confirm-yes").textContent = asks.confirmYes;
    dialog.returnValue = "no";
    dialog.onclose = () => { if (dialog.returnValue === "yes") event.detail.issueRequest(true); };
    dialog.showModal();
  });

  // Once an import has begun there is nothing left to look at.
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful || !event.detail.elt.matches?.("[data-imported]")) return;
    $("#import").replaceChildren();
    $("form.upload")?.reset();
    const bar = $("form.upload progress");
    if (bar) bar.hidden = true;
  });

  // Nor does another file's preview stay while one is sent that may not be readable.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.matches?.("form.upload")) $("#import").replaceChildren();
  });

  document.addEventListener("htmx:xhr:progress", (event) => {
    const bar = $("progress", event.detail.elt ?? event.target);
    if (!bar || !event.detail.lengthComputable) return;
    bar.hidden = false;
    bar.value = event.detail.loaded / event.detail.total;
  });
})();
