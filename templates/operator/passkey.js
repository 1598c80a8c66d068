// Makes or asks for a passkey, and sends the browser's answer with the form. Without scripts the forms stay hidden.
// https://www.w3.org/TR/webauthn-3/#sctn-parseCreationOptionsFromJSON

const { PublicKeyCredential } = window

if (PublicKeyCredential?.parseCreationOptionsFromJSON)
  for (const form of document.querySelectorAll('form[data-passkey]')) {
    form.hidden = false
    form.addEventListener('submit', (event) => {
      if (form.elements.passkey.value !== '') return
      event.preventDefault()
      form.querySelector('[role=alert]').hidden = true
      answer(form).then(
        (credential) => {
          form.elements.passkey.value = JSON.stringify(credential)
          form.submit()
        },
        () => {
          form.querySelector('[role=alert]').hidden = false
        },
      )
    })
  }

async function answer({ dataset }) {
  const response = await fetch(dataset.options, { method: 'POST' })
  if (!response.ok || response.redirected) throw new Error('no options')
  const options = await response.json()
  if (dataset.passkey === 'create')
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })
}
