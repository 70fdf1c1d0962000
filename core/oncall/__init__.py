"""Who is on call when: rotas with layers, swaps and absences."""
