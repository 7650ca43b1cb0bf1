// Forms whose passkey the browser makes or gives: <form data-passkey="create|get"> with a hidden field `credential`. What
// to ask for is in #passkey-options, or at the address in data-options.
for (const form of document.querySelectorAll("form[data-passkey]")) {
  const error = form.querySelector('[role="alert"]');
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    error.hidden = true;
    try {
      form.elements.credential.value = JSON.stringify(await credential(form));
      form.submit();
    } catch {
      error.hidden = false;
    }
  });
}

async function credential(form) {
  const { creation_options: creation, request_options: request } = await options(form);
  if (form.dataset.passkey === "get") {
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(request.publicKey) });
  }
  const selection = { residentKey: "required", requireResidentKey: true, userVerification: "required" };
  const publicKey = { ...creation.publicKey, authenticatorSelection: selection };
  return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
}

async function options(form) {
  if (!form.dataset.options) return JSON.parse(document.getElementById("passkey-options").textContent);
  const answer = await fetch(form.dataset.options);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}
